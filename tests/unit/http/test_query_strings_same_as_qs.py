"""Queries that nobody thought of: the extended parser reads them as npm qs does, within its limits and beyond them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from miniexpress.http.query_strings import DepthError, parse_extended

QUERIES = 4_000
ROOTS = (
    "a",
    "a",
    "a",
    "b",
    "0",
    "1",
    "20",
    "[a]",
    "[0]",
    "[]",
    "",
    "__proto__",
    "a]",
    "[b[c]]",
    "a.b",
    "\u00e9",
    "%E9",
)
NAMES = ("a", "b", "__proto__", "toString", "length", "a b", "01", "-1")
INDICES = (0, 0, 1, 1, 2, 3, 18, 19, 20, 21, 25, 99, 100, 101)
ODD = ("[", "]", "[[a]]", "[a[b]]", "[[", "x", "[a]x", "[]x", "[%5Ba]", "[1]2", "[ ]", "[a=]")
VALUES = ("", "x", "%41+", "%zz", "%C3%A9", "\u00e9%E9", "\u263a%E9", "a=b", "]=", "[", "%26%239786%3B")
# The options of an Express query, of body-parser's forms with and without ``extended``, and of others.
EXPRESS: dict[str, Any] = {}
EXTENDED = {"array_limit": 100, "depth": 32, "strict_depth": True}
PLAIN = {"array_limit": 50, "depth": 0, "strict_depth": True}

ASK_QS = """
const qs = require('qs')
const read = ([query, options]) => {
  try { return qs.parse(query, { allowPrototypes: true, ...options }) } catch (error) { return error.name }
}
const lines = require('fs').readFileSync(0, 'utf8').split('\\n')
process.stdout.write(lines.map((line) => JSON.stringify(read(JSON.parse(line)))).join('\\n'))
"""


@pytest.mark.parametrize("seed", range(3))
def test_random_queries_are_read_as_qs_reads_them(node_reference: Path, seed: int) -> None:
    random = Random(seed)
    asked = [(query(random), options(random)) for _ in range(QUERIES)]
    for (text, given), theirs in zip(asked, ask_qs(node_reference, asked), strict=True):
        assert read(text, given) == theirs, (text, given)


def read(text: str, given: Mapping[str, Any]) -> Any:
    try:
        return parse_extended(text, **given)
    except DepthError:
        return "RangeError"


def ask_qs(folder: Path, asked: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    lines = [json.dumps([text, {camel_case(name): value for name, value in given.items()}]) for text, given in asked]
    node = ["node", "-e", ASK_QS]
    said = subprocess.run(
        node, cwd=folder, input="\n".join(lines), capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in said.stdout.split("\n")]


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


def query(random: Random) -> str:
    keys = [key(random) for _ in range(random.choice((1, 2, 3, 5, 8, 20)))]
    pairs = []
    for number in range(random.choice((1, 2, 3, 5, 8, 18, 24, 30, 40))):
        value = random.choice((str(number), str(number), *VALUES))
        pairs += [f"{random.choice(keys)}={value}"] * random.choice((1, 1, 1, 1, 1, 2, 20, 25))
    pairs.insert(0, random.choice(("", "a", "utf8=%26%2310003%3B", "utf8=%E2%9C%93", *pairs)))
    text = "&".join(pairs)
    return text if random.random() < 0.9 else text.replace("[", "%5B").replace("]", "%5d")


def key(random: Random) -> str:
    return random.choice(ROOTS) + "".join(segment(random) for _ in range(random.choice((0, 0, 0, 1, 1, 1, 2, 2, 3, 4))))


def segment(random: Random) -> str:
    kinds = ("[]", f"[{random.choice(INDICES)}]", f"[{random.choice(NAMES)}]", random.choice(ODD))
    return random.choices(kinds, (25, 30, 35, 10))[0]


def options(random: Random) -> dict[str, Any]:
    others = {
        "array_limit": random.choice((0, 1, 2, 3, 5, 19, 20, 21, 10_000)),
        "depth": random.choice((0, 1, 2, 3, 5)),
        "parameter_limit": random.choice((1, 2, 5, 20, 1000)),
        "strict_depth": random.random() < 0.3,
        "charset": random.choice(("utf-8", "iso-8859-1")),
        "charset_sentinel": random.random() < 0.3,
        "interpret_numeric_entities": random.random() < 0.3,
    }
    return random.choices((EXPRESS, EXTENDED, PLAIN, others), (45, 20, 10, 25))[0]
