"""``trust proxy``: which proxies are trusted, and from which addresses a request came. As npm proxy-addr 2."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from ..usage.arguments import fit_callback

Trust = Callable[[str, int], bool]

_NAMED = {
    "loopback": ("127.0.0.1/8", "::1/128"),
    "linklocal": ("169.254.0.0/16", "fe80::/10"),
    "uniquelocal": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}


def compile_trust(value: Any) -> Trust:
    """Compile the setting ``trust proxy`` into a function ``(address, hop) -> bool``; hop 0 is the socket's peer.

    ``True`` trusts all addresses, a number trusts that many hops, a function is called. Otherwise the value is
    addresses, subnets and the names loopback, linklocal and uniquelocal, in a list or separated by commas. Raises
    ``TypeError`` for anything else.
    """
    if callable(value):
        return fit_callback(value, "the setting 'trust proxy'", "(address, hop)")
    if value is True:
        return lambda address, hop: True
    if isinstance(value, int) and value is not False:
        return lambda address, hop: hop < value
    names = [part.strip() for part in value.split(",")] if isinstance(value, str) else value or ()
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise _type_error(value)
    subnets = [_subnet(part) for name in names for part in _NAMED.get(name, (name,))]
    return lambda address, hop: _is_within(address, subnets)


def addresses(remote: str, forwarded_for: str | None, trust: Trust) -> list[str]:
    """List the addresses that a request came through, nearest first, up to the first that is not trusted.

    ``'127.0.0.1', '1.2.3.4, 10.0.0.9'``, if 127.0.0.1 is trusted → ``['127.0.0.1', '10.0.0.9']``.
    """
    hops = [remote]
    if forwarded_for:
        hops += [part.strip(" ") for part in reversed(forwarded_for.split(",")) if part.strip(" ")]
    for hop, address in enumerate(hops[:-1]):
        if not trust(address, hop):
            return hops[: hop + 1]
    return hops


def _subnet(text: str) -> IPv4Network | IPv6Network:
    """Parse a subnet; one of IPv4-mapped IPv6 addresses becomes the IPv4 subnet. Raises ``TypeError``."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise _type_error(text) from None
    # Python accepts 10.0.0.0/0.255.255.255, too: a host mask, where npm proxy-addr has netmasks only.
    if network.prefixlen == 0 or ("." in text.partition("/")[2] and not text.endswith(f"/{network.netmask}")):
        raise _type_error(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    return IPv4Network((mapped, network.prefixlen - 96)) if mapped and network.prefixlen >= 96 else network


def _is_within(address: str, subnets: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(parsed in subnet for subnet in subnets)


def _type_error(value: Any) -> TypeError:
    names = ", ".join(_NAMED)
    return TypeError(f"'trust proxy' takes addresses, subnets like 10.0.0.0/8, and {names}; not {value!r}")
