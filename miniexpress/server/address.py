"""The address that a server listens at: a port of a host, or the path of a Unix socket; and why it cannot.

``"::1", "80"`` is port 80 of the IPv6 loopback; ``"/run/app.sock"`` in place of the port is a Unix socket.
"""

from __future__ import annotations

import errno
import linecache
import os
import re
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType


class ListenError(OSError):
    """A server cannot listen at an address; ``strerror`` says why, and what to do."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()  # without "[Errno 98]", which says nothing beside that


def listen_address(host: str, port: int | str | os.PathLike[str]) -> tuple[socket.AddressFamily, Any]:
    """Return the family and address of the socket to listen on.

    ``"::1", "80"`` → ``AF_INET6, ("::1", 80)``; any host with ``"/run/app.sock"`` → ``AF_UNIX, "/run/app.sock"``.
    Raises ``ValueError`` or ``TypeError`` for an invalid port.
    """
    if isinstance(port, os.PathLike) or (isinstance(port, str) and "/" in port):
        return socket.AF_UNIX, os.fspath(port)
    if not isinstance(host, str):
        raise TypeError(f"host must be an address such as '127.0.0.1', or '0.0.0.0' for all, not {host!r}")
    return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port_number(port))


def port_number(port: int | str) -> int:
    """Return a port as a number: ``"3000"`` → ``3000``. Raises ``ValueError`` or ``TypeError`` for what is none."""
    if isinstance(port, bool) or not isinstance(port, (int, str)):
        raise TypeError(f"port must be a number such as 3000, or the path of a Unix socket, not {port!r}")
    if not re.fullmatch("[0-9]{1,5}", str(port)) or int(port) > 65535:
        raise ValueError(f"port must be from 0 to 65535, or the path of a Unix socket with a slash in it, not {port!r}")
    return int(port)


def bind_error_message(error: OSError, address: str | tuple[str, int]) -> str:
    """Say why the server cannot listen at ``address``, and what to do about it."""
    if isinstance(address, str):
        if error.errno == errno.EADDRINUSE:
            return f"{address} is there already: stop the process that listens on it, or remove the file"
        return f"cannot listen on {address}: {error.strerror or error}"
    host, port = address
    such_as = "PORT=" if reads_port_variable() else "such as "
    if error.errno == errno.EADDRINUSE:
        other = f"{such_as}{port + 1 if port < 65535 else 3000}"
        return f"port {port} on {host} is already in use: stop the other process or choose another port, {other}"
    if error.errno == errno.EACCES:
        return f"no permission to listen on port {port} of {host}: choose a port above 1023, {such_as}3000"
    return f"cannot listen on port {port} of {host}: {error.strerror}"


def reads_port_variable() -> bool:
    """Return whether the program that was started reads the variable ``PORT``, as far as its source tells."""
    program = getattr(sys.modules["__main__"], "__file__", None) or ""
    return any(re.search("""["']PORT["']""", line) for line in linecache.getlines(program))


def print_listen_errors_as_a_line() -> None:
    """Have a ``ListenError`` that no thread catches printed as one line, unless a debugger or logger has hooks."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = print_uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = print_uncaught_in_thread


def print_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print what ends the program; of a server that cannot listen no traceback, as it is no mistake in the program."""
    if isinstance(error, ListenError):
        print(error.strerror, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


def print_uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    """Print what ends a thread, as ``print_uncaught`` prints what ends the program."""
    if isinstance(uncaught.exc_value, ListenError):
        print(uncaught.exc_value.strerror, file=sys.stderr)
    else:
        threading.__excepthook__(uncaught)
