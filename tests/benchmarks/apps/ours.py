"""What is measured over a socket: a greeting, plain and async, a session, a JSON body, a file and a view."""

import os

from miniexpress import Request, Response, express, json, session, static

USERS = [
    {"id": number, "name": f"Ada <{number}>", "email": f"ada{number}@example.com", "admin": number % 2 == 0}
    for number in range(100)
]

app = express()
app.use("/session", session(secret="secret token", resave=False, save_uninitialized=False))
app.use("/files", static(os.environ.get("FILES", ".")))


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


@app.post("/order", json())
def order(req: Request, res: Response) -> None:
    res.json({"customer": req.body.customer})


@app.get("/view")
def view(req: Request, res: Response) -> None:
    res.render("rows.html", title="Users", users=USERS)


if __name__ == "__main__":
    app.listen(os.environ["PORT"])
