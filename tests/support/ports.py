"""Ports on 127.0.0.1, and what listens on them."""

from __future__ import annotations

import random
import socket
import urllib.error
import urllib.request


def free_port() -> int:
    """Return a free port on 127.0.0.1, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def is_listening(port: int) -> bool:
    """Return true if something accepts connections to that port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def responds(url: str) -> bool:
    """Return true if an HTTP server sends a response from there, of any status."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
