"""Express for Python, on the standard library.

>>> from miniexpress import express
>>> app = express()
>>> @app.get('/')
... def home(req, res):
...     res.send('Hello World')
>>> app.listen(3000)  # doctest: +SKIP
"""

from .application import App, express
from .errors import HTTPError
from .http.json_text import undefined
from .middleware.body_parser import json, raw, text, urlencoded
from .middleware.multer import multer
from .middleware.static import static
from .request import Request
from .response import Response
from .routing import Router
from .routing.layer import Next
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
    "multer",
    "raw",
    "session",
    "static",
    "text",
    "undefined",
    "urlencoded",
]
