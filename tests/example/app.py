"""A notes app: pages and a JSON API over the same notes, with a login, checked forms, and files up and down.

    python tests/example/app.py

Its environment may have ``PORT``; ``MONGODB_URI`` and ``SESSION_SECRET``, without which logins end with the program;
and ``API_ORIGIN``, whose pages may use the API. For the open internet it lacks a rate limit on the login: see the
recipes in ``miniexpress/middleware/README.md``.
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from miniexpress import (
    App,
    HTTPError,
    MemoryStore,
    Next,
    Request,
    Response,
    Router,
    Store,
    compression,
    cors,
    express,
    helmet,
    json,
    morgan,
    multer,
    session,
    static,
    urlencoded,
)

HERE = Path(__file__).parent
MAX_FILE_SIZE = 2**20
SCRYPT = {"n": 2**14, "r": 8, "p": 5}  # what a password costs: 16 MiB of memory, some tenths of a second


def make_app(folder: Path, store: Store | None = None, secret: str = "", api_origin: str = "") -> App:
    """Make an app that keeps its notes in ``folder``; scripts from ``api_origin`` may use the API as their visitor."""
    database = Database(folder)

    def open_database(req: Request, res: Response, next: Next) -> None:
        req.db = database
        next()

    app = express()
    app.set("views", HERE / "views")
    app.use(morgan("dev"))
    app.use(helmet(content_security_policy={"directives": {"upgrade_insecure_requests": None}}))
    app.use("/public", compression(), static(HERE / "public", max_age="1 hour"))
    app.use(
        session(
            secret=secret or secrets.token_hex(),
            store=store or MemoryStore(),
            resave=False,
            save_uninitialized=False,
            cookie={"same_site": "lax", "secure": "auto"},
        )
    )
    app.use(open_database)
    app.use("/api", cors(origin=api_origin or False, credentials=True), compression(), api)
    app.use(pages)  # not compressed: a page holds a secret, the CSRF token, beside text from the request
    return app


class Database:
    """Users and notes in SQLite, and beside it the uploaded files, under random names."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notes.db"
        self.files = folder / "files"
        self.files.mkdir(parents=True, exist_ok=True)
        self.run("CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password BLOB)")
        self.run(
            "CREATE TABLE IF NOT EXISTS notes"
            " (id INTEGER PRIMARY KEY, owner TEXT, title TEXT, text TEXT, file TEXT, filename TEXT)"
        )

    def run(self, command: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(command, values)]

    def add_user(self, name: str, password: str) -> bool:
        """Return whether the name was free."""
        command = "INSERT OR IGNORE INTO users VALUES (?, ?) RETURNING name"
        return bool(self.run(command, name, hash_password(password)))

    def has_user(self, name: str, password: str) -> bool:
        """Return whether a user has this name and password, in the same time whether the name is known or not."""
        found = self.run("SELECT password FROM users WHERE name = ?", name)
        kept = found[0]["password"] if found else NOBODY
        return hmac.compare_digest(kept, hash_password(password, kept[:16]))

    def notes(self, owner: str) -> list[dict[str, Any]]:
        return self.run("SELECT * FROM notes WHERE owner = ? ORDER BY id DESC", owner)

    def note(self, owner: str, id: str) -> dict[str, Any] | None:
        found = self.run("SELECT * FROM notes WHERE owner = ? AND id = ?", owner, id)
        return found[0] if found else None

    def add_note(self, owner: str, title: str, text: str, upload: Any = None) -> dict[str, Any]:
        file = filename = None
        if upload:
            file, filename = secrets.token_hex(), upload.originalname
            (self.files / file).write_bytes(upload.buffer)
        command = "INSERT INTO notes (owner, title, text, file, filename) VALUES (?, ?, ?, ?, ?) RETURNING *"
        return self.run(command, owner, title, text, file, filename)[0]

    def delete(self, note: dict[str, Any]) -> None:
        self.run("DELETE FROM notes WHERE id = ?", note["id"])
        if note["file"]:
            (self.files / note["file"]).unlink(missing_ok=True)


def hash_password(password: str, salt: bytes | None = None) -> bytes:
    """Return what to store of a password: 16 bytes of salt, then its hash."""
    salt = salt or secrets.token_bytes(16)
    return salt + hashlib.scrypt(password.encode(), salt=salt, **SCRYPT)


NOBODY = hash_password(secrets.token_hex())


# Forms, of the pages and of the API


def read_form(req: Request, *names: str) -> dict[str, str]:
    """Return these text fields of the body; ``""`` for one that is missing or no text."""
    form = req.body if isinstance(req.body, dict) else {}
    return {name: clean(value) if isinstance(value := form.get(name), str) else "" for name in names}


def clean(text: str) -> str:
    """Return a text without blanks around, and with ``?`` for half of a surrogate pair, which no UTF-8 has."""
    return text.encode("utf-8", "replace").decode().strip()


def find_errors(form: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with a note, by field."""
    errors = {}
    if not 1 <= len(form["title"]) <= 80:
        errors["title"] = "Enter a title of 80 characters at most."
    if len(form["text"]) > 10_000:
        errors["text"] = "Enter a text of 10,000 characters at most."
    return errors


def load_note(req: Request, res: Response, next: Next, id: str, name: str) -> None:
    """Set ``req.note``: the visitor's note with the id in the path. Those of others do not exist for him."""
    req.note = req.db.note(req.session.user, id)
    if req.note is None:
        raise HTTPError(404, "You have no such note.")
    next()


# The API. It needs no CSRF token: pages of other origins can send it neither JSON nor a DELETE, unless CORS lets them.

api = Router()


@api.use
def need_user_and_json(req: Request, res: Response, next: Next) -> None:
    if not req.session.user:
        raise HTTPError(401, "Log in first.")
    if req.method == "POST" and not req.is_("json"):
        raise HTTPError(415, "Send JSON.")
    next()


api.use(json())
api.param("id", load_note)


def public(note: dict[str, Any]) -> dict[str, Any]:
    """Return what a client sees of a note."""
    return {name: note[name] for name in ("id", "title", "text", "filename")}


@api.get("/notes")
def send_notes(req: Request, res: Response) -> None:
    res.json([public(note) for note in req.db.notes(req.session.user)])


@api.post("/notes")
def receive_note(req: Request, res: Response) -> None:
    form = read_form(req, "title", "text")
    if errors := find_errors(form):
        res.status(422).json({"errors": errors})
    else:
        note = req.db.add_note(req.session.user, **form)
        res.status(201).location(f"/api/notes/{note['id']}").json(public(note))


@api.get("/notes/:id")
def send_note(req: Request, res: Response) -> None:
    res.json(public(req.note))


@api.delete("/notes/:id")
def remove_note(req: Request, res: Response) -> None:
    req.db.delete(req.note)
    res.status(204).end()


@api.use
def nothing_here(req: Request, res: Response) -> None:
    raise HTTPError(404, "There is nothing here.")


@api.use
def json_error(err: Exception, req: Request, res: Response, next: Next) -> None:
    if isinstance(err, HTTPError) and err.expose:
        res.status(err.status).set(err.headers).json({"error": err.message})
    else:
        next(err)


# The pages

pages = Router()
upload = multer(limits={"file_size": MAX_FILE_SIZE}, def_param_charset="utf-8")  # in memory: a wrong form leaves none


def flash(req: Request, res: Response, next: Next) -> None:
    """``req.flash(text)`` keeps a message in the session; ``req.flash()`` returns those that are kept, once."""

    def flash_or_read(text: str | None = None) -> list[str]:
        messages = req.session.flash or []
        if text is not None:
            req.session.flash = [*messages, text]
        elif messages:
            req.session.flash = []
        return messages

    req.flash = flash_or_read
    next()


def show_upload_error(err: Exception, req: Request, res: Response, next: Next) -> None:
    """Leave a file that is refused to the form's handler, which shows the form again."""
    if isinstance(err, multer.MulterError):
        res.locals.upload_error = "Choose one file of 1 MiB at most."
        next()
    else:
        next(err)


def csrf_guard(req: Request, res: Response, next: Next) -> None:
    """Refuse forms that do not bring the token of their visitor's session."""
    if not req.session.csrf:
        req.session.csrf = secrets.token_urlsafe(24)
    res.locals.csrf = req.session.csrf
    sent = read_form(req, "csrf")["csrf"]
    if req.method not in ("GET", "HEAD", "OPTIONS") and not hmac.compare_digest(
        sent.encode(), req.session.csrf.encode()
    ):
        raise HTTPError(403, "This form is not from our page, or its session is over: reload the page.")
    next()


def need_user(req: Request, res: Response, next: Next) -> None:
    if req.session.user:
        next()
    else:
        res.redirect("/login")


pages.use(flash)
pages.use(urlencoded(), upload.single("file"), show_upload_error)  # whichever type a form has, the guard can read it
pages.use(csrf_guard)
pages.use("/notes", need_user)
pages.param("id", load_note)


def show(req: Request, res: Response, view: str, **values: Any) -> None:
    res.render(view, values, user=req.session.user, messages=req.flash())


@pages.get("/")
def index(req: Request, res: Response) -> None:
    res.redirect("/notes")


@pages.get("/login")
def login_page(req: Request, res: Response) -> None:
    show(req, res, "login", form={})


@pages.post("/login")
def login(req: Request, res: Response) -> None:
    form = read_form(req, "name", "password")
    if req.db.has_user(**form):
        enter(req, res, form["name"])
    else:
        res.status(422)
        show(req, res, "login", form=form, error="The name or the password is wrong.")


@pages.post("/signup")
def signup(req: Request, res: Response) -> None:
    form = read_form(req, "name", "password")
    error = ""
    if not (form["name"].isalnum() and len(form["name"]) <= 30 and len(form["password"]) >= 8):
        error = "Enter a name of 30 letters and digits at most, and a password of 8 characters at least."
    elif not req.db.add_user(**form):
        error = "This name is taken."
    if error:
        res.status(422)
        show(req, res, "login", form=form, error=error)
    else:
        enter(req, res, form["name"])


def enter(req: Request, res: Response, name: str) -> None:
    req.session.regenerate()  # so that nobody knows the session's id, or its CSRF token, from before the login
    req.session.user = name
    req.flash(f"Welcome, {name}.")
    res.redirect(303, "/notes")


@pages.post("/logout")
def logout(req: Request, res: Response) -> None:
    req.session.regenerate()
    req.flash("You are logged out.")
    res.redirect(303, "/login")


@pages.get("/notes")
def list_notes(req: Request, res: Response) -> None:
    show(req, res, "notes", notes=req.db.notes(req.session.user), form={}, errors={})


@pages.post("/notes")
def add_note(req: Request, res: Response) -> None:
    form = read_form(req, "title", "text")
    errors = find_errors(form)
    if res.locals.upload_error:
        errors["file"] = res.locals.upload_error
    if errors:
        res.status(422)
        show(req, res, "notes", notes=req.db.notes(req.session.user), form=form, errors=errors)
    else:
        note = req.db.add_note(req.session.user, **form, upload=req.file)
        req.flash("Your note is saved.")
        res.redirect(303, f"/notes/{note['id']}")


@pages.get("/notes/:id")
def show_note(req: Request, res: Response) -> None:
    show(req, res, "note", note=req.note)


@pages.get("/notes/:id/file")
def download_file(req: Request, res: Response) -> None:
    if not req.note["file"]:
        raise HTTPError(404, "This note has no file.")
    res.download(req.note["file"], req.note["filename"], root=req.db.files)


@pages.post("/notes/:id/delete")
def delete_note(req: Request, res: Response) -> None:
    req.db.delete(req.note)
    req.flash("Your note is deleted.")
    res.redirect(303, "/notes")


@pages.use
def no_such_page(req: Request, res: Response) -> None:
    raise HTTPError(404, "There is no such page.")


@pages.use
def error_page(err: Exception, req: Request, res: Response, next: Next) -> None:
    if isinstance(err, HTTPError) and err.expose:
        res.status(err.status).set(err.headers).render("error", message=err.message)
    else:
        next(err)


def session_store() -> Store:
    if not (uri := os.environ.get("MONGODB_URI")):
        return MemoryStore()
    from miniexpress.sessions.mongodb import MongoDBStore

    return MongoDBStore(uri=uri)


if __name__ == "__main__":
    port = os.environ.get("PORT", "3000")
    app = make_app(
        HERE / ".data",
        store=session_store(),
        secret=os.environ.get("SESSION_SECRET", ""),
        api_origin=os.environ.get("API_ORIGIN", ""),
    )
    app.listen(port, callback=lambda: print(f"http://127.0.0.1:{port}", flush=True))
