"""``cookie_parser``: the cookies of a request, signed ones apart. After npm cookie-parser 1.4.7."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..attrdict import AttrDict
from ..http import cookies
from ..keyword_options import suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.arguments import fit_callback

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Secret = str | bytes


@suggests_keywords
def cookie_parser(
    secret: Secret | Sequence[Secret] | None = None,
    *,
    decode: Callable[[str], str] | None = None,
) -> Middleware:
    """Make middleware that parses the Cookie header into ``req.cookies``, and signed cookies into
    ``req.signed_cookies``.

    ``secret`` is what ``res.cookie(signed=True)`` signs with; of a list the first signs, which is then ``req.secret``,
    and each is accepted. A signed cookie that was tampered with is ``False``. Without a secret, ``req.signed_cookies``
    is empty, and a signed cookie stays in ``req.cookies`` as it was sent. A value that begins with ``j:`` is read as
    JSON. ``decode(value)`` is called instead of percent-decoding; a value for which it raises stays as it is.

    Where another middleware has set ``req.cookies``, nothing is done. Raises ``TypeError`` for wrong options.
    """
    secrets = _checked_secrets(secret)
    if decode is not None:
        decode = fit_callback(decode, "the option 'decode'", "(value)")

    def parse_cookies(req: Request, res: Response, next: Next) -> None:
        # A handler before this one may have read them without the secret: they are parsed anew.
        were_read = vars(req).pop("_cookie_texts", None) is not None
        if were_read or vars(req).get("cookies") is None:
            req.secret = secrets[0] if secrets else None
            plain = cookies.parse(req.get("Cookie") or "", decode)
            signed = cookies.take_signed(plain, secrets) if secrets else {}
            req.cookies, req.signed_cookies = _read_json(plain), _read_json(signed)
        next()

    return parse_cookies


def _checked_secrets(secret: Any) -> Sequence[Secret]:
    if secret is None:
        return ()
    secrets = [secret] if isinstance(secret, str | bytes) else secret
    if (
        not isinstance(secrets, list | tuple)
        or not secrets
        or not all(isinstance(s, str | bytes) and s for s in secrets)
    ):
        raise TypeError(f"cookie_parser(secret) takes a string that is not empty, or a list of them, not {secret!r}")
    return tuple(secrets)


def _read_json(texts: dict[str, Any]) -> AttrDict:
    return AttrDict({name: cookies.read_json(value) for name, value in texts.items()})
