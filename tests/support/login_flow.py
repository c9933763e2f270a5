"""The tutorial's login, as app.py has it: its users in the database, and a browser that walks through its pages."""

from __future__ import annotations

from typing import Any

import requests
from pymongo import MongoClient

COOKIE = "session-cookie-name"


def add_user(uri: str, email: str, name: str) -> None:
    """Store a user, under whose ``email`` one can log in."""
    with MongoClient[dict[str, Any]](uri) as client:
        client.test.users.update_one({"email": email}, {"$set": {"name": name}}, upsert=True)


def walk_through_login(url: str, email: str, shown_name: str) -> requests.Session:
    """Check every page of app.py: refused, logged in, logged out; return a browser that is logged in again."""
    browser = requests.Session()
    start = browser.get(f"{url}/account")
    assert start.url == f"{url}/login"
    assert 'name="email"' in start.text

    wrong = browser.post(f"{url}/login", {"email": "nobody@example.com"})
    assert wrong.status_code == 401
    assert "No user has this e-mail address." in wrong.text

    right = browser.post(f"{url}/login", {"email": email})
    assert (right.status_code, right.url) == (200, f"{url}/account")
    assert shown_name in right.text

    assert browser.get(f"{url}/logout").url == f"{url}/login"
    assert browser.get(f"{url}/account").url == f"{url}/login"
    assert browser.get(f"{url}/logout").url == f"{url}/"

    assert browser.post(f"{url}/login", {"email": email}).url == f"{url}/account"
    return browser


def is_logged_in(browser: requests.Session, url: str) -> bool:
    """Return true if ``/account`` shows the account, false if it redirects to the login."""
    response = browser.get(f"{url}/account", allow_redirects=False)
    assert (response.status_code, response.headers.get("Location")) in ((200, None), (302, "/login"))
    return response.status_code == 200
