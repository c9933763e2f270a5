"""Which proxies are believed, and whom a request came from: npm proxy-addr 2's rules for ``trust proxy``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Trust = Callable[[str, int], bool]

_NAMED = {
    "loopback": ("127.0.0.1/8", "::1/128"),
    "linklocal": ("169.254.0.0/16", "fe80::/10"),
    "uniquelocal": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}


def compile_trust(value: Any) -> Trust:
    """The setting ``trust proxy`` as a function ``(address, hop) -> bool``; hop 0 is the other end of the socket.

    ``True`` trusts all, a number that many hops, a function decides itself; otherwise addresses, subnets and the names
    loopback, linklocal and uniquelocal, in a list or separated by commas. Raises ``TypeError`` for no such address.
    """
    if callable(value):
        return value  # type: ignore[no-any-return]
    if value is True:
        return lambda address, hop: True
    if isinstance(value, int) and value is not False:
        return lambda address, hop: hop < value
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    subnets = [_subnet(part) for name in value or () for part in _NAMED.get(name, (name,))]
    return lambda address, hop: _is_within(address, subnets)


def addresses(remote: str, forwarded_for: str | None, trust: Trust) -> list[str]:
    """The addresses a request passed, nearest first, up to the first that is not trusted."""
    hops = [remote]
    if forwarded_for:
        hops += [part.strip(" ") for part in reversed(forwarded_for.split(",")) if part.strip(" ")]
    for hop, address in enumerate(hops[:-1]):
        if not trust(address, hop):
            return hops[: hop + 1]
    return hops


def _subnet(text: str) -> IPv6Network:
    """A subnet, as the IPv6 one that IPv4-mapped addresses lie in too."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        names = ", ".join(_NAMED)
        raise TypeError(f"'trust proxy' takes addresses, subnets like 10.0.0.0/8, and {names}; not {text!r}") from None
    if isinstance(network, IPv6Network):
        return network
    return IPv6Network((_mapped(network.network_address), network.prefixlen + 96))


def _is_within(address: str, subnets: Iterable[IPv6Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = _mapped(parsed) if isinstance(parsed, IPv4Address) else parsed
    return any(mapped in subnet for subnet in subnets)


def _mapped(address: IPv4Address) -> IPv6Address:
    return IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
