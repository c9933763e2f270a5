"""A greeting, plain and async, a session that is read, and one that is changed."""

import os

from miniexpress import Request, Response, express, session

app = express()
app.use("/session", session(secret="secret token", resave=False, save_uninitialized=False))


@app.get("/")
def hello(req: Request, res: Response) -> None:
    res.send("Hello World")


@app.get("/async")
async def hello_async(req: Request, res: Response) -> None:
    res.send("Hello World")


@app.get("/session/read")
def read(req: Request, res: Response) -> None:
    res.send(f"{req.session.count} {req.session.user.name}")


@app.get("/session/change")
def change(req: Request, res: Response) -> None:
    req.session.user = {"email": "ada@example.com", "name": "Ada"}
    req.session.count = (req.session.count or 0) + 1
    res.send(str(req.session.count))


if __name__ == "__main__":
    app.listen(os.environ["PORT"])
