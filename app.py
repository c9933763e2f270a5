"""The tutorial's login flow, line for line: sessions in Express, kept in MongoDB.

    python app.py

Its blocks stand in the tutorial's order. What goes beyond the tutorial is marked so, and stands apart from its lines.
"""

import logging
import os
import secrets
import sys
from pathlib import Path

from miniexpress import AttrDict, Next, Request, Response, embedded, express, morgan, session, urlencoded

try:
    from pymongo import AsyncMongoClient

    from miniexpress.sessions.mongodb import MongoDBStore
except ModuleNotFoundError:  # pymongo is not installed
    sys.exit(embedded.NOT_INSTALLED)

# Beyond the tutorial: what it takes for granted comes from the environment, and a database is there without asking.
HERE = Path(__file__).parent
HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "3000"
SESSION_SECRET = os.environ.get("SESSION_SECRET") or "secret token"
MONGODB_URI = os.environ.get("MONGODB_URI") or ""
if os.environ.get("MINIEXPRESS_ENV") == "production":
    if SESSION_SECRET == "secret token":
        sys.exit("MINIEXPRESS_ENV=production: set SESSION_SECRET, since everybody knows the tutorial's")
    if not MONGODB_URI:
        sys.exit("MINIEXPRESS_ENV=production: set MONGODB_URI, since the embedded database is for development")
if SESSION_SECRET == "secret token":
    logging.warning("the session secret is the tutorial's: set SESSION_SECRET to one that nobody knows")
KEPT_IN = "the database of MONGODB_URI" if MONGODB_URI else str(HERE / ".data")
try:
    MONGODB_URI = MONGODB_URI or embedded.start(HERE / ".data")
except embedded.EmbeddedUnavailable as unavailable:
    sys.exit(str(unavailable))


# The tutorial's store, app and session options.

store = MongoDBStore(
    uri=MONGODB_URI,
    collection="sessions",
    # Beyond the tutorial: who only looks around has his session's end moved once a minute, not with each request.
    touch_after=60_000,
)

app = express()
if app.set("env") == "development":  # beyond the tutorial: a line on the console for each request
    app.use(morgan("dev", stream=sys.stdout))
app.use(session(
    secret=SESSION_SECRET,
    resave=False,
    save_uninitialized=True,
    unset="destroy",
    store=store,
    name="session-cookie-name",
    genid=lambda req: secrets.token_urlsafe(24),
    # Beyond the tutorial: the id changes with the login, so that nobody can plant one that he knows.
    rotate_on="user",
))  # fmt: skip


# Beyond the tutorial: its views and its form, and in an empty database a user to log in as.

DEMO_USER = {"email": "ada@example.com", "name": "Ada"}

db = AsyncMongoClient(MONGODB_URI, document_class=AttrDict, timeoutMS=1200).get_default_database("test")
app.set("views", str(HERE / "views"))
app.use(urlencoded())


@app.use("/")
def prepare_page(req: Request, res: Response, next: Next) -> None:
    res.set("Cache-Control", "no-store")  # Back after the logout asks anew, and shows nobody's account
    res.locals.user = req.session.user
    next()


@app.use("/login")
def offer_demo_user(req: Request, res: Response, next: Next) -> None:
    users = store.db.users
    with store.reached("reading"):  # an outage is a 503 in time, before the login itself asks
        if users.find_one() is None:
            users.update_one({"_id": "demo"}, {"$set": DEMO_USER}, upsert=True)
        res.locals.demo_user = users.find_one({"_id": "demo"})
    next()


@app.post("/login")
def read_form(req: Request, res: Response, next: Next) -> None:
    email = req.body.email if req.body else None
    req.body = AttrDict(email=str(email or ""))  # a string, whatever was sent
    next()


# The tutorial's login, account and logout.


@app.post("/login")
async def login(req: Request, res: Response) -> None:
    try:
        user = await db.users.find_one({"email": req.body.email})
        if user is not None:
            req.session.user = {
                "email": user.email,
                "name": user.name,
            }
            res.redirect("/account")
        else:
            res.status(401).render("login", error="No user has this e-mail address.", email=req.body.email)
    except Exception:
        logging.exception("login")
        res.send_status(500)


@app.get("/account")
def account(req: Request, res: Response) -> None:
    if not req.session.user:
        res.redirect("/login")
    else:
        res.render("account", {"user": req.session.user})


@app.get("/logout")
def logout(req: Request, res: Response) -> None:
    if req.session.user:
        del req.session.user
        res.redirect("/login")
    else:
        res.redirect("/")


# Beyond the tutorial: the pages that it leaves out, and the server.


@app.get("/")
def index(req: Request, res: Response) -> None:
    res.render("index")


@app.get("/login")
def login_page(req: Request, res: Response) -> None:
    res.render("login")


@app.use("/")
def not_found(req: Request, res: Response, next: Next) -> None:
    if req.method in ("GET", "HEAD"):
        res.status(404).render("not_found", path=req.original_path)
    else:
        next()


def announce() -> None:
    address = f"[{HOST}]" if ":" in HOST else HOST
    print(f"http://{address}:{PORT}")
    print(f"  Users and sessions are kept in {KEPT_IN}.")
    print(f"  Who is in its collection users can log in; if it is empty, {DEMO_USER['email']} is added.")
    print("  Ctrl-C stops the server.", flush=True)


if __name__ == "__main__":
    try:
        app.listen(PORT, HOST, announce)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
