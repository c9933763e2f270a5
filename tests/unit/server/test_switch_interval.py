"""How the interpreter's switch interval is changed and restored; when, is in tests/http/test_abuse.py."""

from __future__ import annotations

import sys

import pytest

from miniexpress.server.switch_interval import SwitchInterval


def test_switch_interval_is_restored_to_what_the_app_has_set() -> None:
    usual = sys.getswitchinterval()
    interval = SwitchInterval()
    try:
        interval.restore()
        sys.setswitchinterval(0.001)
        interval.restore()
        assert sys.getswitchinterval() == pytest.approx(0.001)
        for _ in range(2):
            interval.lengthen()
            interval.lengthen()
            assert sys.getswitchinterval() == pytest.approx(0.1)
            interval.restore()
            assert sys.getswitchinterval() == pytest.approx(0.001)
    finally:
        sys.setswitchinterval(usual)
