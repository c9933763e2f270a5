"""Helpers of the tests: no test imports from another test, and no fixture is here (those are in the conftest.py)."""
