"""Which proxies are believed. What npm proxy-addr 2.0.8 answers was recorded under Node v20.20.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from miniexpress import express
from miniexpress.http.proxy_addr import addresses, compile_trust
from tests.support.waiting import processor_time

ADDRESSES = [
    *("127.0.0.1", "127.255.255.254", "128.0.0.1", "::1", "::2", "::ffff:127.0.0.1", "169.254.7.7"),
    *(
        "fe80::1",
        "fe80::1%eth0",
        "::1%lo",
        "febf::1",
        "fec0::1",
        "10.0.0.1",
        "10.255.255.255",
        "11.0.0.0",
        "::ffff:10.0.0.1",
    ),
    *("::ffff:a00:1", "172.15.255.255", "172.16.0.1", "172.31.255.255", "172.32.0.0", "192.168.1.1", "192.168.2.1"),
    *("fc00::1", "fdff::1", "fe00::1", "unknown", "10.0.0.1:80", "[::1]", "256.0.0.1"),
    *("", " 127.0.0.1"),
]

LOOPBACK = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::1%lo"]
TEN = ["10.0.0.1", "10.255.255.255", "::ffff:10.0.0.1", "::ffff:a00:1"]
ONE = ["10.0.0.1", "::ffff:10.0.0.1", "::ffff:a00:1"]
TRUSTED: dict[str, list[str]] = {
    "loopback": LOOPBACK,
    "linklocal": ["169.254.7.7", "fe80::1", "fe80::1%eth0", "febf::1"],
    "uniquelocal": [
        *TEN,
        *("172.16.0.1", "172.31.255.255", "192.168.1.1", "192.168.2.1", "fc00::1", "fdff::1"),
    ],
    "10.0.0.0/8": TEN,
    "10.0.0.1": ONE,
    "10.0.0.0/255.0.0.0": TEN,
    "10.0.0.0/08": TEN,
    "::ffff:10.0.0.0/104": TEN,
    "::ffff:10.0.0.1": ONE,
    "fc00::/7": ["fc00::1", "fdff::1"],
    "::1": ["::1", "::1%lo"],
    "0.0.0.0/1": ["127.0.0.1", "127.255.255.254", "::ffff:127.0.0.1", *TEN[:2], "11.0.0.0", *TEN[2:]],
    "192.168.1.77/24": ["192.168.1.1"],
    "::/1": ["::1", "::2", "::1%lo"],
    "::ffff:0:0/95": [],
    "loopback, 10.0.0.0/8": [*LOOPBACK, *TEN],
}


@pytest.mark.parametrize("setting", TRUSTED)
def test_the_addresses_that_proxy_addr_trusts_are_trusted_and_no_others(setting: str) -> None:
    trust = compile_trust(setting)
    assert [address for address in ADDRESSES if trust(address, 0)] == TRUSTED[setting]


def test_a_list_of_subnets_is_what_the_same_text_with_commas_is() -> None:
    trust = compile_trust(["loopback", "10.0.0.0/8"])
    assert [address for address in ADDRESSES if trust(address, 3)] == TRUSTED["loopback, 10.0.0.0/8"]


REFUSED = [
    *("unknown", "10.0.0.0/0", "0.0.0.0/0", "::/0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/0.255.255.255"),
    *("10.0.0.0/255.0.255.0", "::/129", "::1/ffff::", "fe80::/255.0.0.0", "10.0.0", "10.0.0.0/8/8", "/8", "localhost"),
    *("10.0.0.0/", "", "10.0.0.0/ 8", "loopback,", "loopback 10.0.0.1"),
]


@pytest.mark.parametrize("setting", REFUSED)
def test_what_proxy_addr_refuses_is_refused_by_name_with_the_mend(setting: str) -> None:
    with pytest.raises(TypeError, match=r"'trust proxy' takes addresses, subnets like 10.0.0.0/8, and loopback"):
        compile_trust(setting)


@pytest.mark.parametrize("address", ["0x7f.0.0.1", "0177.0.0.1", "2130706433", "127.1"])
def test_a_spelling_that_could_be_read_as_two_addresses_is_not_believed(address: str) -> None:
    # ipaddr.js 1.9.1 reads the first three as 127.0.0.1.
    assert not compile_trust("loopback")(address, 0)


def test_true_trusts_all_false_and_none_nobody_and_a_number_as_many_hops() -> None:
    for setting, trusted in [(True, [True] * 3), (False, [False] * 3), (None, [False] * 3)]:
        assert [compile_trust(setting)("1.2.3.4", hop) for hop in range(3)] == trusted
    for count, trusted in [(0, [False] * 3), (1, [True, False, False]), (2, [True, True, False]), (-1, [False] * 3)]:
        assert [compile_trust(count)("1.2.3.4", hop) for hop in range(3)] == trusted


def test_a_function_decides_itself() -> None:
    def trust(address: str, hop: int) -> bool:
        return address == "1.2.3.4" and hop == 1

    assert compile_trust(trust) is trust


# proxy-addr's all(): X-Forwarded-For, the setting, and the addresses of a request from 127.0.0.1.
PASSED: list[tuple[str | None, Any, list[str]]] = [
    (None, "loopback", ["127.0.0.1"]),
    ("1.1.1.1", "loopback", ["127.0.0.1", "1.1.1.1"]),
    ("1.1.1.1, 10.0.0.1", "loopback", ["127.0.0.1", "10.0.0.1"]),
    ("1.1.1.1, 10.0.0.1", "loopback,10.0.0.0/8", ["127.0.0.1", "10.0.0.1", "1.1.1.1"]),
    ("10.0.0.2, 10.0.0.1", "loopback,10.0.0.0/8", ["127.0.0.1", "10.0.0.1", "10.0.0.2"]),
    ("1.1.1.1,,10.0.0.1 ", "loopback,10.0.0.0/8", ["127.0.0.1", "10.0.0.1", "1.1.1.1"]),
    (" , ", "loopback", ["127.0.0.1"]),
    ("evil, 10.0.0.1", "loopback,10.0.0.0/8", ["127.0.0.1", "10.0.0.1", "evil"]),
    ("1.1.1.1", "10.0.0.1", ["127.0.0.1"]),
    ("1.1.1.1\t,2.2.2.2", "loopback", ["127.0.0.1", "2.2.2.2"]),
    ("1.1.1.1, 2.2.2.2", 0, ["127.0.0.1"]),
    ("1.1.1.1, 2.2.2.2", 1, ["127.0.0.1", "2.2.2.2"]),
    ("1.1.1.1, 2.2.2.2", 2, ["127.0.0.1", "2.2.2.2", "1.1.1.1"]),
    ("1.1.1.1, 2.2.2.2", -1, ["127.0.0.1"]),
]


@pytest.mark.parametrize(("forwarded_for", "setting", "expected"), PASSED)
def test_the_addresses_end_with_the_first_that_is_not_trusted(
    forwarded_for: str | None, setting: Any, expected: list[str]
) -> None:
    assert addresses("127.0.0.1", forwarded_for, compile_trust(setting)) == expected


def test_a_client_cannot_choose_its_address_where_no_proxy_is_trusted(serve: Callable[..., str]) -> None:
    app = express()
    app.get("/", lambda req, res: res.json([req.ip, req.ips, req.protocol, req.hostname]))
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil"}
    assert requests.get(serve(app), headers=forged).json() == ["127.0.0.1", [], "http", "127.0.0.1"]


def test_a_long_hostile_header_costs_little() -> None:
    trust = compile_trust("loopback, 10.0.0.0/8")
    for header in ("10.0.0.1," * 1800, "," * 16_000, " " * 16_000, "1" * 16_000, "::" * 8000, "%" * 16_000):
        assert processor_time(lambda header=header: addresses("127.0.0.1", header, trust), 0.1) < 0.1, header[:10]
