"""Pages in Chromium, on a phone's screen and a desktop's, light and dark: app.py's, and those of errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
import requests

from miniexpress import express
from tests.support.login_flow import add_user
from tests.support.mongodb_servers import MongoDBServer
from tests.support.processes import App

RunApp = Callable[..., App]
Open = Callable[..., Any]

CHROMIUM = "/usr/bin/chromium"
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SCREENS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]

# The contrast of each text with what is behind it, and of the border of an input with what is around it (WCAG 2.2),
# as [contrast, what, least contrast].
CONTRASTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number)
  const luminance = (color) => channels(color).slice(0, 3)
    .map((value) => value / 255).map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0)
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y)
    return (light + 0.05) / (dark + 0.05)
  }
  const isClear = (color) => channels(color)[3] === 0
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor
    return isClear(color) && element.parentElement ? behind(element.parentElement) : color
  }
  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
  const found = []
  for (const element of document.body.querySelectorAll('*')) {
    const style = getComputedStyle(element)
    if (hasText(element) || element.matches('input')) {
      found.push([contrast(style.color, behind(element)), element.outerHTML, 4.5])
    }
    if (element.matches('input')) found.push([contrast(style.borderColor, behind(element.parentElement)), 'border', 3])
  }
  return found
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        # Users have the cache that Back shows a page from; Playwright turns it off.
        without = ["--disable-back-forward-cache"]
        browser = p.chromium.launch(executable_path=CHROMIUM, args=OPTIONS, ignore_default_args=without)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Open]:
    """Open a page, of a browser without cookies: ``open_page(width=390, scheme="dark")``."""
    with ExitStack() as pages:

        def open(width: int = 390, scheme: str = "light") -> Any:
            screen = {"viewport": {"width": width, "height": 844}, "is_mobile": width < 500}
            return pages.enter_context(closing(chromium.new_page(**screen, color_scheme=scheme)))

        yield open


@pytest.fixture
def app(run_app: RunApp, nx_server: MongoDBServer) -> App:
    """app.py, on a database with a user whose name has no blank at which a line could be broken."""
    add_user(nx_server.uri, "ada@example.com", "Ada")
    add_user(nx_server.uri, f"{'x' * 60}@example.com", "Y" * 60)
    return run_app(env={"MONGODB_URI": nx_server.uri})


def log_in(page: Any, app: App, email: str) -> None:
    page.goto(f"{app.url}/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{app.url}/account")


def check_look(page: Any) -> None:
    """Check that nothing is cut off or too small to read, and every text stands out from its background."""
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], page.url
    contrasts = page.evaluate(CONTRASTS)
    assert contrasts
    for contrast, what, least in contrasts:
        assert contrast >= least, f"{page.url}: {what}"


def test_login_and_logout_work_in_chromium_on_a_phones_screen(
    run_app: RunApp, mongodb: MongoDBServer, open_page: Open
) -> None:
    add_user(mongodb.uri, "eve@example.com", "<b>Eve</b>")
    app = run_app(env={"MONGODB_URI": mongodb.uri})
    page = open_page()
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))

    page.goto(f"{app.url}/account")
    assert page.url == f"{app.url}/login"
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_label("E-mail").input_value() == "nobody@example.com"

    page.get_by_label("E-mail").fill("eve@example.com")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{app.url}/account")
    assert page.get_by_role("heading").inner_text() == "Hello, <b>Eve</b>"
    page.reload()
    assert page.get_by_role("heading").is_visible()

    page.get_by_role("link", name="Log out").click()
    page.wait_for_url(f"{app.url}/login")
    page.goto(f"{app.url}/account")
    assert page.url == f"{app.url}/login"
    assert all(url.startswith((app.url, "data:")) for url in requested)


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_every_page_of_app_py_fits_the_screen_and_is_readable(
    app: App, open_page: Open, width: int, scheme: str
) -> None:
    page = open_page(width, scheme)
    for path in ("/", "/login"):
        page.goto(app.url + path)
        check_look(page)
    page.get_by_label("E-mail").fill(f"{'z' * 60}@example.com")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    check_look(page)
    log_in(page, app, f"{'x' * 60}@example.com")
    for path in ("/account", "/", "/login"):
        page.goto(app.url + path)
        check_look(page)


def test_back_after_the_logout_shows_nobodys_account(app: App, open_page: Open) -> None:
    page = open_page()
    log_in(page, app, "ada@example.com")
    page.get_by_role("link", name="Home").click()
    page.wait_for_url(f"{app.url}/")
    assert "You are logged in as Ada." in page.inner_text("main")
    page.get_by_role("link", name="Log out").click()
    page.wait_for_url(f"{app.url}/login")
    page.go_back(wait_until="commit")
    page.wait_for_url(f"{app.url}/")
    assert "logged in as" not in page.inner_text("main")
    page.go_back(wait_until="commit")
    page.wait_for_url(f"{app.url}/login")
    assert "Ada" not in page.inner_text("main")


def test_every_page_but_the_home_page_links_to_it(app: App, open_page: Open) -> None:
    page = open_page()
    page.goto(f"{app.url}/login")
    page.get_by_role("link", name="Home").click()
    page.wait_for_url(f"{app.url}/")
    assert page.get_by_role("link", name="Home").count() == 0
    log_in(page, app, "ada@example.com")
    page.get_by_role("link", name="Home").click()
    page.wait_for_url(f"{app.url}/")
    page.goto(f"{app.url}/not/there")
    assert "Cannot GET /not/there" in page.inner_text("main")
    page.get_by_role("link", name="Home").click()
    page.wait_for_url(f"{app.url}/")


def test_the_login_page_says_who_is_logged_in(app: App, open_page: Open) -> None:
    page = open_page()
    page.goto(f"{app.url}/login")
    assert "logged in as" not in page.inner_text("main")
    log_in(page, app, "ada@example.com")
    page.goto(f"{app.url}/login")
    assert "You are logged in as Ada:" in page.inner_text("main")
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    assert "You are logged in as Ada:" in page.inner_text("main")
    page.get_by_role("link", name="your account").click()
    page.wait_for_url(f"{app.url}/account")


def test_log_out_is_quieter_than_log_in(app: App, open_page: Open) -> None:
    page = open_page()

    def background(role: str, name: str) -> str:
        element = page.get_by_role(role, name=name)
        return str(element.evaluate("(element) => getComputedStyle(element).backgroundColor"))

    page.goto(f"{app.url}/login")
    assert background("button", "Log in") == "rgb(31, 111, 235)"
    log_in(page, app, "ada@example.com")
    assert background("link", "Log out") == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_pages_of_a_404_and_of_an_error_fit_the_screen_and_are_readable(
    serve: Callable[..., str], open_page: Open, width: int, scheme: str
) -> None:
    app = express()
    app.get("/fails/:word", lambda req, res: 1 / int(req.params.word))
    url, page = serve(app), open_page(width, scheme)
    for path in ("/", f"/{'x' * 500}", f"/fails/{'x' * 500}"):
        page.goto(url + path)
        check_look(page)
        assert page.evaluate("getComputedStyle(document.querySelector('pre')).fontSize") == "14px"


def test_no_script_runs_on_the_page_of_an_error(serve: Callable[..., str], open_page: Open) -> None:
    """The policy that allows the page's style allows nothing else, even to HTML that got in."""
    app = express()

    @app.get("/")
    def fail(req: Any, res: Any) -> None:
        raise ValueError("<script>document.title = 'run'</script><style>pre { color: red }</style>")

    page = open_page()
    page.goto(serve(app))
    assert page.title() == "500 Internal Server Error"
    with pytest.raises(Exception, match="Content Security Policy"):
        page.add_script_tag(content="document.title = 'run'")
    assert page.title() == "500 Internal Server Error"


def test_production_answers_the_page_of_express_without_a_style(serve: Callable[..., str]) -> None:
    app = express()
    app.set("env", "production")
    answer = requests.get(f"{serve(app)}/nope")
    assert answer.text == (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Error</title>\n</head>\n'
        "<body>\n<pre>Cannot GET /nope</pre>\n</body>\n</html>\n"
    )
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
