"""The README's pictures of the app: `python -m precompute.screenshots` (needs Chromium; `make test` installs it)."""

import io
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from wsr.paths import assets_dir, atomic_path

CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1440, "height": 900}


def main() -> None:
    port = _free_port()
    server = subprocess.Popen([sys.executable, "-m", "wsr.cli", "app", "--port", str(port)])
    try:
        _wait(f"http://127.0.0.1:{port}/")
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE)
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector(".wsr-chart .main-svg", timeout=60_000)
            page.wait_for_timeout(8000)
            _shot(page, "app-atlas-emoji")
            page.get_by_label("Shapes", exact=True).first.check()
            page.wait_for_timeout(8000)
            _shot(page, "app-atlas-shapes")
            page.get_by_role("tab", name="Fit").click()
            page.wait_for_timeout(3000)
            page.get_by_role("button", name="Fit", exact=True).click()
            page.wait_for_timeout(20_000)
            _shot(page, "app-fit")
            browser.close()
    finally:
        server.terminate()


def _shot(page: Page, name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    with atomic_path(assets_dir() / "reports" / f"{name}.webp") as temporary:
        picture.save(temporary, format="webp", quality=82)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(address: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


if __name__ == "__main__":
    assert Path(CHROMIUM).exists(), "Chromium is missing: `make test` installs it."
    main()
