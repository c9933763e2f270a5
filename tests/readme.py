"""The code of README.md. The Python blocks under one heading are one program, in their order.

One that begins with ``# in app.py`` belongs into app.py instead, at the place it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from support import ROOT

README = (ROOT / "README.md").read_text()
TUTORIAL = "The tutorial, side by side"


@dataclass(frozen=True)
class Block:
    """A fenced block: ``line`` is that of its first line in the file."""

    heading: str
    language: str
    text: str
    line: int

    @property
    def is_for_app_py(self) -> bool:
        return self.text.startswith("# in app.py")


def blocks(language: str, heading: str | None = None) -> list[Block]:
    """The blocks of a language, or those of them under one heading. Raises LookupError for a heading without any."""
    found = [block for block in _all() if block.language == language and heading in (None, block.heading)]
    if not found:
        raise LookupError(f"README.md has no block of {language} under {heading!r}")
    return found


def run(heading: str, **names: Any) -> dict[str, Any]:
    """Run the program under a heading; the names that it defines, beside those given to it.

    Its server is not started: a test serves its ``app`` on a port of its own.
    """
    for block in blocks("python", heading):
        if not block.is_for_app_py:
            source = "\n" * (block.line - 1) + block.text.replace("app.listen(3000)", "")
            exec(compile(source, str(ROOT / "README.md"), "exec", dont_inherit=True), names)
    return names


def _all() -> list[Block]:
    heading, found = "", []
    for match in re.finditer(r"^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL):
        if match[1]:
            heading = match[1]
        else:
            found.append(Block(heading, match[2], match[3], README.count("\n", 0, match.start(3)) + 1))
    return found
