"""Express for Python, on the standard library.

>>> from miniexpress import express
>>> app = express()
>>> @app.get('/')
... def home(req, res):
...     res.send('Hello World')
>>> app.listen(3000)  # doctest: +SKIP
"""

from .application import App, express
from .bodies import json, raw, text, urlencoded
from .errors import HTTPError
from .files import static
from .handlers import Next
from .jsontext import undefined
from .request import Request
from .response import Response
from .routing import Router
from .sessions.middleware import session

__all__ = [
    "App",
    "HTTPError",
    "Next",
    "Request",
    "Response",
    "Router",
    "express",
    "json",
    "raw",
    "session",
    "static",
    "text",
    "undefined",
    "urlencoded",
]
