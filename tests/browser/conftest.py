"""A served app over tiny assets, and a browser that records every error and every request to another machine."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

import pytest
import tiny_assets
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.heard import END, Heard

PATIENCE = 120_000  # ms; long enough for a busy machine, since these tests do not measure time
# WebGL in software and everything else drawn without it, as on a machine without a GPU.
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
         "--disable-gpu-compositing", "--disable-gpu-rasterization"]  # fmt: skip
# gradio gives what comes to light its values once more, in the next frame: what is chosen before is taken back. A
# visitor sees nothing to choose before that frame. A test does, where busy processes leave the browser no time to draw.
# A frame that is awaited comes after 50 ms at most: what settles a promise is native, has no name, and may be called
# twice. Loops that draw surfaces go on as before.
NO_LATE_FRAMES = """(() => {
  const ask = requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (call) => {
    if (!call.name && String(call).includes("[native code]")) setTimeout(call, 50);
    return ask(call);
  };
})()"""
ROOT = Path(__file__).resolve().parents[2]


def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.fail("Chromium is missing, and the page cannot be tested without it: `make test` installs it.")
    return found


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """The address of an app of this test run."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = {"WSR_ASSETS": str(folder / "assets"), "WSR_CACHE": str(folder / "cache")}
    environment, log = os.environ | folders, folder / "log"
    with pytest.MonkeyPatch.context() as changed:
        for name, value in folders.items():
            changed.setenv(name, value)
        tiny_assets.make(folder / "assets")
    with open(log, "w") as output:
        start = f"from app.main import launch; launch('127.0.0.1', {port})"
        server = subprocess.Popen(
            [sys.executable, "-c", start], env=environment, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _answering(f"http://127.0.0.1:{port}/", server, log)
    finally:
        server.terminate()
        server.wait(PATIENCE / 1000)


def _answering(address: str, server: subprocess.Popen, log: Path) -> str:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return address
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"The app did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def browsers():
    """Starts a browser, with further flags for tests that need them."""
    with sync_playwright() as playwright:
        started = {}

        def start(*flags: str):
            if flags not in started:
                started[flags] = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags])
            return started[flags]

        yield start
        for browser in started.values():
            browser.close()


@pytest.fixture(scope="session")
def tabs(browsers):
    """Lends tabs of browser contexts with these flags and options, to be taken back after a visit (`Tabs`)."""
    return Tabs(browsers)


class Tabs:
    """Tabs that are used again: a new one takes four seconds of a core to load and compile the page's scripts, which
    one that has shown the page before keeps."""

    def __init__(self, browsers):
        self.browsers, self.contexts, self.idle = browsers, {}, defaultdict(list)

    def take(self, flags: tuple[str, ...], *, viewport: dict, **options) -> Page:
        key = flags, repr(sorted(options.items()))
        if key not in self.contexts:
            self.contexts[key] = self.browsers(*flags).new_context(**options)
        idle = self.idle[self.contexts[key]]
        page = idle.pop() if idle else self._new(self.contexts[key])
        page.set_viewport_size(viewport)
        return page

    def _new(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.add_init_script(NO_LATE_FRAMES)
        # asked so often, and not in each frame, a page that is waited for may rest
        page.wait_for_function = functools.partial(page.wait_for_function, polling=50)
        return page

    def give_back(self, page: Page) -> None:
        """Ends the visit, and leaves nothing of it in the tab."""
        page.evaluate("localStorage.clear(), sessionStorage.clear()")
        page.context.clear_cookies()
        page.unroute_all()
        page.goto("about:blank")
        page.mouse.move(0, 0)
        self.idle[page.context].append(page)


@pytest.fixture
def open_page(address, tabs):
    """Opens the app in a fresh visit; the options are those of a Playwright context. After the test the visit must have
    been free of errors, and must have contacted only the app."""
    visits = []

    def visit(**wanted) -> Page:
        visits.append(_visit(address, tabs, **wanted))
        return visits[-1].page

    yield visit
    for heard in visits:
        _leave(heard, tabs)
        heard.check()


def _leave(heard: Heard, tabs: Tabs) -> None:
    heard.stop()
    tabs.give_back(heard.page)


def _visit(address: str, tabs: Tabs, *, link="", flags: tuple[str, ...] = (), before=None, **options) -> Heard:
    """before: is called with the tab, before the page is opened in it."""
    page = tabs.take(flags, **{"viewport": {"width": 1440, "height": 900}, **options})
    page.set_default_timeout(PATIENCE)
    heard = Heard(page, address)
    if before:
        before(page)
    page.goto(address + link)
    if not link:  # a link may open another tab than the Atlas
        page.locator(".wsr-plot .main-svg").first.wait_for()
        # the panel has pictures once Python has filled the page
        page.locator(".wsr-pictures button").first.wait_for()
    return heard


# Visits that one file keeps at once. Each holds a connection to the server, and a second one while it waits for an
# answer; a browser opens six, and pages beyond stay empty.
KEPT = 2


@pytest.fixture(scope="module")
def kept(tabs):
    """The visits that tests of one file take over from each other, by their options."""
    visits = {}
    yield visits
    for heard in visits.values():
        _leave(heard, tabs)


@pytest.fixture
def keep_page(address, tabs, kept, request):
    """Like `open_page`, without a link, for tests that need no fresh visit: the page is as the test before left it,
    except that the Atlas is open, in light colours. A visit costs more than most such tests do in it. Each test must
    have been free of errors; after one that fails, the next gets a fresh visit."""
    taken = []

    def take(**options) -> Page:
        key = repr(sorted(options.items()))
        if key not in kept:
            for old in [one for one in kept if one not in taken][: max(0, len(kept) + 1 - KEPT)]:
                _leave(kept.pop(old), tabs)
            kept[key] = _visit(address, tabs, **options)
        taken.append(key)
        page = kept[key].page
        page.unroute_all()
        page.mouse.move(0, 0)
        page.evaluate("document.body.classList.remove('dark'), scrollTo(0, 0)")
        page.get_by_role("tab", name="Atlas").click()
        page.locator("[role=tab][aria-selected=true]:has-text('Atlas')").wait_for()
        return page

    yield take
    for key in taken:
        heard = kept[key]
        if request.node.stash.get(FAILED, True) or heard.wrong():
            _leave(kept.pop(key), tabs)
        heard.check()


FAILED = pytest.StashKey[bool]()
STORY = "page"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    if report.failed:
        report.sections += [(STORY, heard.story()) for heard in Heard.listening]
    return report


def pytest_terminal_summary(terminalreporter):
    """Says last what the server was asked for before a test failed, since what comes before may be cut off."""
    for report in terminalreporter.stats.get("failed", []):
        for name, text in report.sections:
            if name == STORY:
                terminalreporter.write_sep("-", report.nodeid)
                terminalreporter.write_line(text.partition(END)[0][-1500:])


@pytest.fixture
def page(request) -> Page:
    """A fresh visit, or, in a test that is marked so, a kept one."""
    kept = request.node.get_closest_marker("kept")
    return request.getfixturevalue("keep_page" if kept else "open_page")()
