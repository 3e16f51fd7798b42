"""A browser for measurements of the page (Chromium, which `make test` installs), and how to wait for the server."""

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wsr.errors import WsrError

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"
# WebGL in software, as on a machine without a GPU
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE = {"width": 1440, "height": 900}


@contextmanager
def browser_page(flags: list[str] = FLAGS) -> Iterator["Page"]:
    """Opens a browser with one page; `.context.browser.new_page(viewport=SIZE)` opens further ones. Raises a WsrError
    if Chromium or Playwright is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise WsrError("Playwright is missing: `make test` installs it.") from None
    if not Path(CHROMIUM).exists():
        raise WsrError("Chromium is missing: `make test` installs it.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser.new_page(viewport=SIZE)
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, seconds: float = 300) -> None:
    """Waits until a server answers, which takes two minutes beside many busy processes."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
