"""The built book, served on the loopback device, and the browser that reads it."""

import functools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from llm_course.classroom.book.build import html_folder
from llm_course.classroom.course import find_root

GENERATED = {"genindex.html", "search.html", "py-modindex.html", "index.html"}


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files and does not write about it."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Reader:
    """A page in the browser, and everything that went wrong while it was read."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        self.page.on("request", lambda request: self._left_the_machine(request.url))
        self.page.on(
            "response", lambda r: r.status >= 400 and self.faults.append(f"{r.status} {r.url}")
        )

    def open(self, name: str) -> None:
        """Open a page and wait until its formulas are rendered."""
        self.page.goto(f"{self.address}/{name}", wait_until="load")
        self.page.wait_for_function(
            "!document.querySelector('.math') || (window.MathJax && MathJax.startup &&"
            " MathJax.startup.promise)"
        )
        self.page.evaluate("window.MathJax?.startup?.promise?.then(() => null)")

    def _console(self, message: object) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")

    def _left_the_machine(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"asked another machine: {url}")


@pytest.fixture(scope="session")
def html() -> Path:
    """The folder of the reader's edition."""
    folder = html_folder(find_root(Path(__file__).parent))
    if not (folder / "index.html").is_file():
        pytest.fail(f"{folder}: there is no book to test. Fix: make book")
    return folder


@pytest.fixture(scope="session")
def pages(html: Path) -> list[str]:
    """Every page that somebody wrote or that was made from the course."""
    names = sorted(path.relative_to(html).as_posix() for path in html.rglob("*.html"))
    return [name for name in names if name not in GENERATED and not name.startswith("_")]


@pytest.fixture(scope="session")
def address(html: Path) -> Iterator[str]:
    """Where the book is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def read(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A browser window; parametrize it indirectly with `(width, mode)`."""
    width, mode = getattr(request, "param", (1280, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=mode)
    context.set_default_timeout(180_000)  # milliseconds: a busy machine is no defect of a page
    yield Reader(context.new_page(), address)
    context.close()
