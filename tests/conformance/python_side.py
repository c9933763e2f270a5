"""miniexpress's responses: every case's Python app on a real socket, behind the package's own server."""

from __future__ import annotations

import linecache
import os
import textwrap
import threading
from typing import Any

import miniexpress
from miniexpress.server import Server

from .case import Case, Request
from .served_files import FILES
from .wire import Answer, exchange


class PythonSide:
    """One server that serves the app of one case at a time."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, str], dict[str, Answer]] = {}  # by area and case, then by the request's name
        self._app: Any = None
        self._server = Server(lambda environ, start_response: self._app(environ, start_response), "127.0.0.1", 0)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def ask(self, area: str, case: Case, request: Request) -> Answer:
        """Return what the case's app answers. Raises what building the app raises.

        At the first request all of them are sent, in the case's order, as Express is asked: what an app answers may
        depend on the requests before, and the tests may come in any order.
        """
        if (area, case.name) not in self._answers:
            self._app = build(area, case)
            port = self._server.server_address[1]
            self._answers[area, case.name] = {sent.name: exchange(port, sent) for sent in case.requests}
        return self._answers[area, case.name][request.name]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def build(area: str, case: Case) -> Any:
    before = os.environ.get("MINIEXPRESS_ENV")
    os.environ["MINIEXPRESS_ENV"] = case.env
    try:
        names = {name: getattr(miniexpress, name) for name in miniexpress.__all__}
        names |= {"app": miniexpress.express(), "FILES": FILES}
        source, file_name = textwrap.dedent(case.py), f"<{area}-{case.name}>"
        # So that a traceback shows the lines of the case.
        linecache.cache[file_name] = (len(source), None, source.splitlines(keepends=True), file_name)
        exec(compile(source, file_name, "exec", dont_inherit=True), names)
        return names["app"]
    finally:
        if before is None:
            del os.environ["MINIEXPRESS_ENV"]
        else:
            os.environ["MINIEXPRESS_ENV"] = before
