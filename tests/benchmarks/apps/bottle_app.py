"""The greeting in Bottle: run as a script it is served by waitress, imported by gunicorn."""

import os

import bottle

app = bottle.Bottle()


@app.get("/")
def hello() -> str:
    return "Hello World"


if __name__ == "__main__":
    app.run(server="waitress", host="127.0.0.1", port=int(os.environ["PORT"]), quiet=True)
