"""The documents: README.md of the project and of its folders, their blocks of code and their links.

The Python blocks under one heading are one program, in their order. One that begins with ``# in app.py`` belongs into
app.py instead, at the place it names. Headings with programs are unique among all documents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.project import ROOT

README = (ROOT / "README.md").read_text()
TUTORIAL = "The tutorial, side by side"

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING_OR_BLOCK = re.compile(rf"^#+ ([^\n]+)$|{_FENCED.pattern}", re.MULTILINE | re.DOTALL)
_CODE_SPAN = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    """Return every README.md of the project, but those of installed packages."""
    found = [path for folder in ("miniexpress", "tests") for path in (ROOT / folder).rglob("README.md")]
    ours = [path for path in found if not _is_installed(path.relative_to(ROOT))]
    return [ROOT / "README.md", *sorted(ours)]


def _is_installed(path: Path) -> bool:
    return any(part.startswith(".") or part == "node_modules" for part in path.parts)


@dataclass(frozen=True)
class Block:
    """A fenced block of ``document``: ``line`` is that of its first line in the file, counted from 1."""

    document: Path
    heading: str
    language: str
    text: str
    line: int

    @property
    def is_for_app_py(self) -> bool:
        return self.text.startswith("# in app.py")


def blocks(language: str, heading: str | None = None) -> list[Block]:
    """Return the blocks of a language, or those of them under one heading.

    Raises LookupError for a heading without any.
    """
    found = [block for block in all_blocks() if block.language == language and heading in (None, block.heading)]
    if not found:
        raise LookupError(f"no document has a block of {language} under {heading!r}")
    return found


def all_blocks() -> list[Block]:
    """Return the blocks of all documents, in their order."""
    return [block for document in documents() for block in _blocks_of(document)]


def _blocks_of(document: Path) -> Iterator[Block]:
    heading, text = "", document.read_text()
    for match in _HEADING_OR_BLOCK.finditer(text):
        if match[1]:
            heading = match[1]
        else:
            yield Block(document, heading, match[2], match[3], text.count("\n", 0, match.start(3)) + 1)


def run(heading: str, **names: Any) -> dict[str, Any]:
    """Run the program under a heading; return the names that it defines, beside those given to it.

    Its server is not started: a test serves its ``app`` on a port of its own.
    """
    for block in blocks("python", heading):
        if not block.is_for_app_py:
            source = "\n" * (block.line - 1) + block.text.replace("app.listen(3000)", "")
            exec(compile(source, str(block.document), "exec", dont_inherit=True), names)
    return names


def links(document: Path) -> list[str]:
    """Return the targets of a document's relative links, such as ``sessions/README.md#mongodb``."""
    prose = _CODE_SPAN.sub("`code`", _FENCED.sub("", document.read_text()))
    return [target for target in _LINK.findall(prose) if "://" not in target]


def anchors(document: Path) -> set[str]:
    """Return the anchors that code hosts give to the headings of a document: ``A store of one's own`` →
    ``a-store-of-ones-own``; a second heading of that name → ``a-store-of-ones-own-1``."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCED.sub("", document.read_text()), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found
