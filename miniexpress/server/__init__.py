"""An HTTP/1.1 server for any WSGI app (PEP 3333)."""

from .server import Server, listen, serving

__all__ = ["Server", "listen", "serving"]
