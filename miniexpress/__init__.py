"""Express for Python, on the standard library.

>>> from miniexpress import express
>>> app = express()
>>> @app.get('/')
... def home(req, res):
...     res.send('Hello World')
>>> app.listen(3000)  # doctest: +SKIP

What to import from here:

- ``express``: ``express()`` makes an app; ``express.json``, ``express.static``, ``express.Router`` … are as in Express
- ``Router``: makes a stack of routes and middleware of its own
- ``json``, ``urlencoded``, ``text``, ``raw``: make middleware that parses the body of a request
- ``static``: makes middleware that sends the files of a folder
- ``compression``, ``cookie_parser``, ``cors``, ``helmet``, ``morgan``, ``multer``: as the npm packages of these names
- ``session``: makes middleware that loads and saves ``req.session``
- ``MemoryStore``, ``Store``: a store of sessions in memory, and the base class of a store of your own
- ``HTTPError``: an error with a status, to raise or to give to ``next``
- ``App``, ``Request``, ``Response``, ``Next``, ``AsyncNext``: types for annotations
- ``AttrDict``, ``undefined``: a dict whose keys are attributes too; JavaScript's ``undefined`` in JSON

And from modules of their own:

- ``miniexpress.sessions.mongodb``: ``MongoDBStore``, a store of sessions in MongoDB (needs pymongo)
- ``miniexpress.jinja``: ``jinja2_engine``, views in Jinja2
- ``miniexpress.wsgi``: ``wsgi``, which makes middleware of another WSGI app
- ``miniexpress.embedded``: ``start``, a MongoDB server for development
- ``miniexpress.sessions.contract``: ``StoreContract``, the tests of a store of your own

``help(express)``, ``help(app)``, ``help(app.post)``, ``help(Request)``, ``help(Response)`` say what each can do.
"""

from typing import TYPE_CHECKING, Never

from .application import App
from .attrdict import AttrDict
from .errors import HTTPError
from .http.json_text import undefined
from .middleware.body_parser import json, raw, text, urlencoded
from .middleware.compression import compression
from .middleware.cookie_parser import cookie_parser
from .middleware.cors import cors
from .middleware.helmet import helmet
from .middleware.morgan import morgan
from .middleware.multer import multer
from .middleware.static import static
from .request import Request
from .response import Response
from .routing import Route, Router
from .routing.layer import AsyncNext, Next
from .sessions.memory import MemoryStore
from .sessions.middleware import session
from .sessions.store import Store
from .usage.camel_case import to_camel_case

__all__ = [
    "App",
    "AsyncNext",
    "AttrDict",
    "HTTPError",
    "MemoryStore",
    "Next",
    "Request",
    "Response",
    "Router",
    "Store",
    "compression",
    "cookie_parser",
    "cors",
    "express",
    "helmet",
    "json",
    "morgan",
    "multer",
    "raw",
    "session",
    "static",
    "text",
    "undefined",
    "urlencoded",
]


class Express:
    """``express()`` makes an app. What Express has beside that, ``express`` has as attributes.

    ``app.use(express.json())``, ``app.use(express.static('public'))``, ``router = express.Router()``. ``application``,
    ``request`` and ``response`` are the classes that those of every app derive from.
    """

    json = staticmethod(json)
    raw = staticmethod(raw)
    static = staticmethod(static)
    text = staticmethod(text)
    urlencoded = staticmethod(urlencoded)
    Route = Route
    Router = Router
    application = App
    request = Request
    response = Response

    def __call__(self, nothing: None = None, /, **options: Never) -> App:
        """Return a new application. Raises ``TypeError`` for ``express(__name__)``, as Flask has it."""
        if nothing is not None or options:
            given = ", ".join(options) or repr(nothing)
            raise TypeError(f"express() takes no arguments, not {given}: app.set(name, value) changes a setting")
        return App()


express = Express()
"""``express()`` makes an app, and ``express.json()``, ``express.Router()`` … are what they are in Express."""

# What is not imported here, as it needs another package, and where it is.
_ELSEWHERE = {"MongoDBStore": "sessions.mongodb", "jinja2_engine": "jinja"}

if not TYPE_CHECKING:  # a type checker would take every name for one that is here

    def __getattr__(name: str) -> None:
        """Raise ``ImportError``, which says where it is or how it is written here, else ``AttributeError``."""
        if name in _ELSEWHERE:
            raise ImportError(f"from {__name__}.{_ELSEWHERE[name]} import {name}, as it needs a package of others")
        for public in __all__:
            if name == to_camel_case(public):
                raise ImportError(f"from {__name__} import {public}, and not {name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
