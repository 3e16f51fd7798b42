"""The README's pictures of the app: `python -m precompute.screenshots` (needs Chromium; `make test` installs it)."""

import io
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from precompute.visitors import end
from wsr.paths import assets_dir, atomic_path

CHROMIUM = "/usr/bin/chromium"
# WebGL in software, as a machine without a GPU has it
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE = {"width": 1440, "height": 900}


def main() -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as cache:
        # an empty cache: the pictures show what weights decode to, and none of the emoji themselves
        environment = {**os.environ, "WSR_CACHE": cache}
        server = subprocess.Popen([sys.executable, "-m", "wsr.cli", "app", "--port", str(port)], env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                _tour(browser.new_page(viewport=SIZE), f"http://127.0.0.1:{port}/")
                browser.close()
        finally:
            end(server)


def _tour(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".wsr-chart .main-svg", timeout=60_000)
    page.wait_for_timeout(25_000)  # the emoji's thumbnails are decoded at the first start
    page.reload()
    page.wait_for_selector(".wsr-pictures button", timeout=60_000)
    page.wait_for_timeout(3000)
    _shot(page, "app-atlas-emoji")
    page.get_by_label("Shapes", exact=True).first.check()
    page.wait_for_timeout(8000)
    _shot(page, "app-atlas-shapes")
    page.get_by_label("Emoji", exact=True).first.check()
    page.get_by_role("tab", name="Connect").click()
    page.locator(".wsr-six figure img").nth(5).wait_for()
    page.wait_for_timeout(3000)
    _shot(page, "app-connect")
    page.get_by_role("tab", name="Symmetry").click()
    page.get_by_role("button", name="Shuffle").click()
    page.get_by_label("another picture").click()
    page.wait_for_timeout(5000)
    _shot(page, "app-symmetry")
    _links(page, address)
    page.goto(address)
    page.get_by_role("tab", name="Fit").click()
    page.get_by_role("button", name="astronaut").click()
    page.locator(".wsr-state:visible", has_text="is chosen").wait_for()
    page.get_by_label("all six side by side").click()
    page.get_by_role("button", name="Fit", exact=True).click()
    page.locator(".wsr-state:visible", has_text="Done after").wait_for(timeout=300_000)
    page.wait_for_timeout(1000)
    _shot(page, "app-fit-six")
    page.get_by_label("one representation").click()
    page.get_by_role("button", name="Fit", exact=True).click()
    page.locator(".wsr-state:visible", has_text="Step ").wait_for()
    page.locator(".wsr-state:visible", has_text="Done after").wait_for(timeout=300_000)
    page.wait_for_timeout(1000)
    _shot(page, "app-fit")


def _links(page: Page, address: str) -> None:
    """Tabs that a link opens as they should be seen."""
    for name, query in (("app-generate", "tab=generate&data=shapes10"), ("app-audit", "tab=audit&data=shapes10")):
        page.goto(f"{address}?{query}&kind=mlora-asym")
        page.locator(".wsr-row:visible img").first.wait_for(timeout=60_000)
        page.wait_for_timeout(8000)
        _shot(page, name)


def _shot(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    with atomic_path(assets_dir() / "reports" / f"{name}.webp") as temporary:
        picture.save(temporary, format="webp", quality=82)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(address: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    assert Path(CHROMIUM).exists(), "Chromium is missing: `make test` installs it."
    main()
