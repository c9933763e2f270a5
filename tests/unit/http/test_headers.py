"""Header fields. The tables are what npm vary 1.1.2 and content-disposition 2.0.1 returned."""

from __future__ import annotations

import pytest

from miniexpress.http.headers import content_disposition, vary

VARY = [
    (None, "Accept", "Accept"),
    ("Accept", "accept", "Accept"),
    ("Accept", "Origin, Accept", "Accept, Origin"),
    ("Accept", "*", "*"),
    ("Accept, *", "Origin", "*"),
    ("accept, Origin", ["Accept-Encoding", "ORIGIN"], "accept, Origin, Accept-Encoding"),
    ("Accept", [], "Accept"),
    (None, ["Accept", "Accept"], "Accept"),
]

VARY_REFUSED = [
    (None, ""),
    (None, "bad header"),
    (None, "a,,b"),
    (None, "a\nb"),
    ("*", "a:b"),
    (None, ["a,b"]),
]


@pytest.mark.parametrize(("existing", "field", "expected"), VARY)
def test_vary_as_the_npm_package(existing: str | None, field: str | list[str], expected: str) -> None:
    assert vary(existing, field) == expected


@pytest.mark.parametrize(("existing", "field"), VARY_REFUSED)
def test_vary_names_the_field_name_that_is_no_token(existing: str | None, field: str | list[str]) -> None:
    with pytest.raises(TypeError, match="invalid header name: '"):
        vary(existing, field)


# What npm content-disposition 2.0.1 returned.
@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        (None, "attachment"),
        ("", 'attachment; filename=""'),
        ("plans.pdf", "attachment; filename=plans.pdf"),
        ("the plans.pdf", 'attachment; filename="the plans.pdf"'),
        ('the "plans".pdf', r'attachment; filename="the \"plans\".pdf"'),
        ("a\\b.txt", r'attachment; filename="a\\b.txt"'),
        ("\u20ac rates.pdf", "attachment; filename=\"? rates.pdf\"; filename*=UTF-8''%E2%82%AC%20rates.pdf"),
        ("\xa3.txt", "attachment; filename=\"?.txt\"; filename*=UTF-8''%C2%A3.txt"),
        ("the%20plans.pdf", "attachment; filename=the%20plans.pdf; filename*=UTF-8''the%2520plans.pdf"),
        ("100%.txt", "attachment; filename=100%.txt"),
        ("50%aa.txt", "attachment; filename=50%aa.txt; filename*=UTF-8''50%25aa.txt"),
        ("a\nb.txt", "attachment; filename=\"a?b.txt\"; filename*=UTF-8''a%0Ab.txt"),
        ("\U0001f600.png", "attachment; filename=\"??.png\"; filename*=UTF-8''%F0%9F%98%80.png"),
        ("na\xefve(1)*.txt", "attachment; filename=\"na?ve(1)*.txt\"; filename*=UTF-8''na%C3%AFve%281%29%2A.txt"),
        ("it's;ok.txt", 'attachment; filename="it\'s;ok.txt"'),
        ("x~!y \xe9", "attachment; filename=\"x~!y ?\"; filename*=UTF-8''x~!y%20%C3%A9"),
    ],
)
def test_content_disposition_is_that_of_the_npm_package(filename: str | None, expected: str) -> None:
    assert content_disposition(filename) == expected


def test_content_disposition_takes_any_text_and_nothing_else() -> None:
    assert content_disposition("not utf-8 \udcff").endswith("filename*=UTF-8''not%20utf-8%20%3F")
    with pytest.raises(TypeError, match="filename must be a string, not 5"):
        content_disposition(5)  # type: ignore[arg-type]
