"""Express's responses: recorded in ``recorded/<area>.json``, or asked of it now."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .case import FOLDER, Case, Request
from .served_files import FILES
from .wire import Answer, exchange, shown

Table = dict[str, list[Case]]
Kept = dict[str, Any]

_RECORDED = FOLDER / "recorded"


def recorded(area: str) -> Kept:
    """Return what ``recorded/<area>.json`` holds; empty if there is no such file."""
    path = _RECORDED / f"{area}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"cases": {}}


def recorded_answer(kept: Kept, case: Case, request: Request) -> Answer:
    """The answer kept for a request. Raises LookupError when it is none, or one to another app or request."""
    entry = kept["cases"].get(case.name, {"answers": {}})
    answer = entry["answers"].get(request.name)
    if answer is None:
        raise LookupError("Express's answer is not recorded yet: run pytest tests/conformance --record")
    if entry["js"] != case.digest or answer["sent"] != shown(request.data):
        raise LookupError("the case has changed since it was recorded: run pytest tests/conformance --record")
    return Answer.from_json(answer)


def ask_express(table: Table, reference: Path) -> dict[str, Kept]:
    """Run every case's JavaScript app on node, and send it its requests: by area, what is to be recorded."""
    with _node(table, reference) as (versions, ports):
        return {
            area: {**versions, "cases": {case.name: _ask(case, ports[area][case.name]) for case in cases}}
            for area, cases in table.items()
        }


def record(fresh: dict[str, Kept]) -> None:
    _RECORDED.mkdir(exist_ok=True)
    for area, kept in fresh.items():
        text = json.dumps(kept, indent=2, ensure_ascii=False)
        (_RECORDED / f"{area}.json").write_text(text + "\n", encoding="utf-8")
    for path in _RECORDED.glob("*.json"):
        if path.stem not in fresh:
            path.unlink()


def _ask(case: Case, port: int) -> Kept:
    answers = {
        request.name: {"sent": shown(request.data), **exchange(port, request).to_json()} for request in case.requests
    }
    return {"js": case.digest, "answers": answers}


@contextmanager
def _node(table: Table, reference: Path) -> Iterator[tuple[Kept, dict[str, dict[str, int]]]]:
    apps = {area: {case.name: {"js": case.js, "env": case.env} for case in cases} for area, cases in table.items()}
    command = ["node", str(FOLDER / "express_side.js"), str(reference), FILES]
    # Express logs every unhandled error on standard error: those are wanted here, and not worth a screen.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as node:
        assert node.stdin and node.stdout and node.stderr
        try:
            node.stdin.write(json.dumps(apps) + "\n")
            node.stdin.flush()
            line = node.stdout.readline()
            if not line:
                raise RuntimeError(f"node ended before it served: {node.stderr.read()}")
            ready = json.loads(line)
            yield ready["versions"], ready["ports"]
        finally:
            node.kill()
