"""The greeting in Flask, plain and async, on its own server."""

import logging
import os

import flask

app = flask.Flask(__name__)


@app.get("/")
def hello() -> str:
    return "Hello World"


@app.get("/async")
async def hello_async() -> str:
    return "Hello World"


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no other peer writes a line for each request
    app.run("127.0.0.1", int(os.environ["PORT"]))
