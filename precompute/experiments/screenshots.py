"""The README's pictures of the app."""

import io
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from PIL import Image

from precompute.browser import browser_page, free_port, wait_for
from precompute.experiment import Cell, Context, Experiment
from precompute.visitors import end
from wsr.paths import assets_dir, atomic_path

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURES = ("atlas-emoji", "atlas-shapes", "connect", "symmetry", "fit-six", "fit", "generate", "audit", "results")


def run(cell: Cell, context: Context) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as cache:
        # with an empty cache the pictures show decoded weights, and none of the emoji themselves
        environment = {**os.environ, "WSR_CACHE": cache}
        server = subprocess.Popen([sys.executable, "-m", "wsr.cli", "app", "--port", str(port)], env=environment)
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            with browser_page() as page:
                _tour(page, f"http://127.0.0.1:{port}/")
        finally:
            end(server)


def _tour(page: "Page", address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".wsr-chart .main-svg", timeout=60_000)
    page.wait_for_timeout(25_000)  # the emoji's thumbnails are decoded at the first start
    page.reload()
    page.wait_for_selector(".wsr-pictures button", timeout=60_000)
    page.get_by_label("Emoji", exact=True).first.check()
    page.wait_for_timeout(5000)
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


def _links(page: "Page", address: str) -> None:
    """Takes pictures of tabs that a link opens in the wanted state."""
    for name, query in (("app-generate", "tab=generate&data=faces-large"), ("app-audit", "tab=audit&data=shapes10")):
        page.goto(f"{address}?{query}&kind=mlora-asym")
        page.locator(".wsr-row:visible img").first.wait_for(timeout=60_000)
        page.wait_for_timeout(8000)
        _shot(page, name)
    page.goto(f"{address}?tab=results")
    page.get_by_role("heading", name="The paper’s claims").wait_for(timeout=60_000)
    page.wait_for_timeout(5000)
    _shot(page, "app-results")


def _shot(page: "Page", name: str) -> None:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    with atomic_path(assets_dir() / "reports" / f"{name}.webp") as temporary:
        picture.save(temporary, format="webp", quality=82)


EXPERIMENT = Experiment(
    name="screenshots",
    title="`reports/app-*.webp`, the README's pictures",
    makes=tuple(f"reports/app-{name}.webp" for name in PICTURES),
    run=run,
    presets=("cpu",),
    by_hand=True,
    place=32,
    size="0.4 MB",
    time="3.5 min",
)
