"""``helmet``: header fields that have browsers protect an app's visitors. After npm helmet 8.3.0."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from math import floor, inf
from typing import TYPE_CHECKING, Any

from ..keyword_options import UNSET, suggests_keywords
from ..routing.layer import Middleware, Next
from ..usage.camel_case import SnakeCaseNames
from .content_security_policy import ContentSecurityPolicy

if TYPE_CHECKING:
    from ..request import Request
    from ..response import Response

Options = bool | Mapping[str, Any]
"""``True`` for a field as it is by default, ``False`` for none, or a dict of the options of its middleware."""

_YEAR = 365 * 24 * 60 * 60
_EMBEDDER_POLICIES = ("require-corp", "credentialless", "unsafe-none")
_OPENER_POLICIES = ("same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
_RESOURCE_POLICIES = ("same-origin", "same-site", "cross-origin")
_CROSS_DOMAIN_POLICIES = ("none", "master-only", "by-content-type", "all")
_FRAME_ACTIONS = {"deny": "DENY", "sameorigin": "SAMEORIGIN", "same-origin": "SAMEORIGIN"}
_REFERRER_POLICIES = (
    "no-referrer",
    "no-referrer-when-downgrade",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
    "",
)
# The options that are True or False: the middleware that they name take none.
_WITHOUT_OPTIONS = (
    "origin_agent_cluster",
    "x_content_type_options",
    "x_download_options",
    "x_powered_by",
    "x_xss_protection",
)


class Helmet(SnakeCaseNames):
    """``helmet()`` makes middleware that sets all fields; ``helmet.x_frame_options(action="deny")`` sets one alone."""

    __name__ = "helmet"
    content_security_policy = ContentSecurityPolicy()
    """``helmet.content_security_policy(directives={…}, use_defaults=True, report_only=False)``"""

    @partial(suggests_keywords, title="helmet")
    def __call__(
        self,
        *,
        content_security_policy: Options = True,
        cross_origin_embedder_policy: Options = False,
        cross_origin_opener_policy: Options = True,
        cross_origin_resource_policy: Options = True,
        origin_agent_cluster: bool = True,
        referrer_policy: Options = True,
        strict_transport_security: Options = UNSET,
        x_content_type_options: bool = UNSET,
        x_dns_prefetch_control: Options = UNSET,
        x_download_options: bool = UNSET,
        x_frame_options: Options = UNSET,
        x_permitted_cross_domain_policies: Options = UNSET,
        x_powered_by: bool = UNSET,
        x_xss_protection: bool = UNSET,
        hsts: Options = UNSET,
        no_sniff: bool = UNSET,
        dns_prefetch_control: Options = UNSET,
        ie_no_open: bool = UNSET,
        frameguard: Options = UNSET,
        permitted_cross_domain_policies: Options = UNSET,
        hide_powered_by: bool = UNSET,
        xss_filter: bool = UNSET,
    ) -> Middleware:
        """Make middleware that sets all these fields, but for Cross-Origin-Embedder-Policy, and removes X-Powered-By.

        An option is ``False`` to leave its field alone, ``True``, or a dict of the options that the middleware of its
        name takes: ``helmet(x_frame_options={"action": "deny"})``. The last eight are older names of those before
        them.

        Raises ``TypeError`` for wrong options, and for one that is given by both its names.
        """
        options = {
            "content_security_policy": content_security_policy,
            "cross_origin_embedder_policy": cross_origin_embedder_policy,
            "cross_origin_opener_policy": cross_origin_opener_policy,
            "cross_origin_resource_policy": cross_origin_resource_policy,
            "origin_agent_cluster": origin_agent_cluster,
            "referrer_policy": referrer_policy,
            "strict_transport_security": _renamed_option(
                strict_transport_security=strict_transport_security, hsts=hsts
            ),
            "x_content_type_options": _renamed_option(x_content_type_options=x_content_type_options, no_sniff=no_sniff),
            "x_dns_prefetch_control": _renamed_option(
                x_dns_prefetch_control=x_dns_prefetch_control, dns_prefetch_control=dns_prefetch_control
            ),
            "x_download_options": _renamed_option(x_download_options=x_download_options, ie_no_open=ie_no_open),
            "x_frame_options": _renamed_option(x_frame_options=x_frame_options, frameguard=frameguard),
            "x_permitted_cross_domain_policies": _renamed_option(
                x_permitted_cross_domain_policies=x_permitted_cross_domain_policies,
                permitted_cross_domain_policies=permitted_cross_domain_policies,
            ),
            "x_powered_by": _renamed_option(x_powered_by=x_powered_by, hide_powered_by=hide_powered_by),
            "x_xss_protection": _renamed_option(x_xss_protection=x_xss_protection, xss_filter=xss_filter),
        }
        for name, value in options.items():
            _check_option(name, value)
        middlewares = [
            getattr(self, name)(**({} if value is True else value))
            for name, value in options.items()
            if value is not False
        ]

        def set_fields(req: Request, res: Response, next: Next) -> None:
            for middleware in middlewares:
                middleware(req, res, _do_nothing)
            next()

        return set_fields

    @staticmethod
    @partial(suggests_keywords, title="helmet.cross_origin_embedder_policy")
    def cross_origin_embedder_policy(*, policy: str = "require-corp") -> Middleware:
        """Set Cross-Origin-Embedder-Policy: load from other origins only what allows it (``require-corp``), or without
        cookies (``credentialless``), or all (``unsafe-none``)."""
        return _middleware_setting(
            "Cross-Origin-Embedder-Policy",
            _checked_choice("cross_origin_embedder_policy(policy=…)", policy, _EMBEDDER_POLICIES),
        )

    @staticmethod
    @partial(suggests_keywords, title="helmet.cross_origin_opener_policy")
    def cross_origin_opener_policy(*, policy: str = "same-origin") -> Middleware:
        """Set Cross-Origin-Opener-Policy: which windows share a process with this one."""
        return _middleware_setting(
            "Cross-Origin-Opener-Policy",
            _checked_choice("cross_origin_opener_policy(policy=…)", policy, _OPENER_POLICIES),
        )

    @staticmethod
    @partial(suggests_keywords, title="helmet.cross_origin_resource_policy")
    def cross_origin_resource_policy(*, policy: str = "same-origin") -> Middleware:
        """Set Cross-Origin-Resource-Policy: which pages may embed the response."""
        return _middleware_setting(
            "Cross-Origin-Resource-Policy",
            _checked_choice("cross_origin_resource_policy(policy=…)", policy, _RESOURCE_POLICIES),
        )

    @staticmethod
    def origin_agent_cluster() -> Middleware:
        """Set Origin-Agent-Cluster: keep the origin apart from others of its site."""
        return _middleware_setting("Origin-Agent-Cluster", "?1")

    @staticmethod
    @partial(suggests_keywords, title="helmet.referrer_policy")
    def referrer_policy(*, policy: str | Sequence[str] = "no-referrer") -> Middleware:
        """Set Referrer-Policy: what other pages are told of where their visitors come from. Of a list, a browser takes
        the last that it knows."""
        policies = [policy] if isinstance(policy, str) else policy
        if not isinstance(policies, list | tuple) or not policies:
            raise TypeError(f"helmet.referrer_policy(policy=…) is a policy, or a list of them, not {policy!r}")
        checked = [_checked_choice("referrer_policy(policy=…)", each, _REFERRER_POLICIES) for each in policies]
        if len(set(checked)) < len(checked):
            raise TypeError(f"helmet.referrer_policy(policy=…) names a policy twice: {policy!r}")
        return _middleware_setting("Referrer-Policy", ",".join(checked))

    @staticmethod
    @partial(suggests_keywords, title="helmet.strict_transport_security")
    def strict_transport_security(
        *, max_age: float | timedelta = _YEAR, include_sub_domains: bool = True, preload: bool = False
    ) -> Middleware:
        """Set Strict-Transport-Security: use HTTPS alone for ``max_age`` seconds (in npm's unit, not in milliseconds),
        or a timedelta. Browsers ignore it where it comes over HTTP."""
        directives = [f"max-age={_seconds(max_age)}"]
        if include_sub_domains:
            directives.append("includeSubDomains")
        if preload:
            directives.append("preload")
        return _middleware_setting("Strict-Transport-Security", "; ".join(directives))

    @staticmethod
    def x_content_type_options() -> Middleware:
        """Set X-Content-Type-Options: take a response for what its Content-Type says, and for nothing else."""
        return _middleware_setting("X-Content-Type-Options", "nosniff")

    @staticmethod
    @partial(suggests_keywords, title="helmet.x_dns_prefetch_control")
    def x_dns_prefetch_control(*, allow: bool = False) -> Middleware:
        """Set X-DNS-Prefetch-Control: whether the names in links are looked up ahead."""
        return _middleware_setting("X-DNS-Prefetch-Control", "on" if allow else "off")

    @staticmethod
    def x_download_options() -> Middleware:
        """Set X-Download-Options: Internet Explorer opens no download on the site's behalf."""
        return _middleware_setting("X-Download-Options", "noopen")

    @staticmethod
    @partial(suggests_keywords, title="helmet.x_frame_options")
    def x_frame_options(*, action: str = "sameorigin") -> Middleware:
        """Set X-Frame-Options: show pages in frames of the same origin alone, or in none (``deny``)."""
        action = action.lower() if isinstance(action, str) else action
        return _middleware_setting(
            "X-Frame-Options", _FRAME_ACTIONS[_checked_choice("x_frame_options(action=…)", action, _FRAME_ACTIONS)]
        )

    @staticmethod
    @partial(suggests_keywords, title="helmet.x_permitted_cross_domain_policies")
    def x_permitted_cross_domain_policies(*, permitted_policies: str = "none") -> Middleware:
        """Set X-Permitted-Cross-Domain-Policies: what Adobe's clients may load from here."""
        policy = _checked_choice(
            "x_permitted_cross_domain_policies(permitted_policies=…)", permitted_policies, _CROSS_DOMAIN_POLICIES
        )
        return _middleware_setting("X-Permitted-Cross-Domain-Policies", policy)

    @staticmethod
    def x_powered_by() -> Middleware:
        """Remove X-Powered-By, as ``app.disable("x-powered-by")`` does."""

        def remove_powered_by(req: Request, res: Response, next: Next) -> None:
            res.remove_header("X-Powered-By")
            next()

        return remove_powered_by

    @staticmethod
    def x_xss_protection() -> Middleware:
        """Set X-XSS-Protection to 0: the filter of old browsers makes more holes than it fills."""
        return _middleware_setting("X-XSS-Protection", "0")

    hsts = strict_transport_security
    no_sniff = x_content_type_options
    dns_prefetch_control = x_dns_prefetch_control
    ie_no_open = x_download_options
    frameguard = x_frame_options
    permitted_cross_domain_policies = x_permitted_cross_domain_policies
    hide_powered_by = x_powered_by
    xss_filter = x_xss_protection


helmet = Helmet()
"""``helmet(...)`` makes middleware that sets all its fields, ``helmet.hsts(...)`` and its like one of them."""


def _renamed_option(**given: Any) -> Any:
    """Return the value that an option was given by one of its two names, ``True`` for none."""
    values = [value for value in given.values() if value is not UNSET]
    if len(values) > 1:
        new, old = given
        raise TypeError(f"helmet() was given both {new!r} and its older name {old!r}: leave {old!r} out")
    return values[0] if values else True


def _check_option(name: str, value: Any) -> None:
    if isinstance(value, bool) or (isinstance(value, Mapping) and name not in _WITHOUT_OPTIONS):
        return
    expected = "True or False" if name in _WITHOUT_OPTIONS else "True, False, or a dict of its options"
    raise TypeError(f"helmet({name}=…) is {expected}, not {value!r}")


def _middleware_setting(name: str, value: str) -> Middleware:
    """Return middleware that sets a field."""

    def set_field(req: Request, res: Response, next: Next) -> None:
        res.set_header(name, value)
        next()

    return set_field


def _do_nothing(error: Any = None) -> None:
    """Do nothing, as the ``next`` of each field's middleware: the handlers behind are called once, after all fields."""


def _checked_choice(option: str, value: Any, choices: Collection[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise TypeError(f"helmet.{option} is one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def _seconds(max_age: Any) -> int:
    seconds = max_age.total_seconds() if isinstance(max_age, timedelta) else max_age
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < inf:
        expected = "a number of seconds from 0, or a timedelta"
        raise TypeError(f"helmet.strict_transport_security(max_age=…) is {expected}, not {max_age!r}")
    return floor(seconds)
