"""A Rosetta table: the same small app in JavaScript and in Python, and what Express answered to each request.

``pytest tests/conformance`` holds miniexpress to the recorded answers. ``--live`` asks Express itself again and fails
where it no longer answers as recorded; ``--record`` writes down anew what it answers. Both need node and the npm
packages of ``tests/reference``.
"""
