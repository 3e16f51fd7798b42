"""What the server does for a visitor who only looks and drags: requests and CPU seconds, with pictures that the page
draws and with pictures that the server draws."""

import time
from typing import TYPE_CHECKING

from precompute.browser import browser_page
from precompute.visitors import serving, used
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

STEPS = 20  # of each slider, and of the zoom
ARROWS, ZOOM = ("ArrowRight", "ArrowLeft"), ("+", "-")  # keys that move there and back
STEP = 0.15  # seconds between two
SETTLING = 3.0  # seconds after which answers are there
PATIENCE = 180  # seconds within which the server comes to rest
# A decoder that cannot: the server draws instead, as for a browser without module workers.
NONE = """export const BUDGET = 1, address = () => "", coarser = () => ({});
export const decoded = () => Promise.reject(new Error("Nothing is decoded here."));
export class Pace { size() { return 8; } took() {} }"""


def measured() -> dict:
    """The same visit twice, with the page's decoder and without it."""
    found = {}
    with serving(assets_dir().parent) as (address, server):
        for way, drawn_here in (("by the page", True), ("by the server", False)):
            with browser_page() as page:
                page.set_default_timeout(1000 * PATIENCE)
                if not drawn_here:
                    page.route("**/wsr/field/page/decoder.js", without_decoder)
                found[way] = _visit(page, address, server)
    return {"steps": STEPS, "ways": found}


def without_decoder(route: "Route") -> None:
    """Answers a request for the decoder with one that cannot."""
    route.fulfill(body=NONE, content_type="text/javascript")


def _visit(page: "Page", address: str, server: int) -> dict[str, dict[str, float]]:
    """The requests and CPU seconds of each part of a visit. What a tab needs is there before it is measured: the tab is
    open, the first step has been made, and the server is at rest."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    page.goto(address)
    page.locator(".wsr-pictures button").first.wait_for(timeout=120_000)
    parts = {"zoom in the Atlas": _zoom, "α in Connect": _alpha, "sliders of Symmetry": _symmetry,
             "Edit in Generate": _edit}  # fmt: skip
    found = {}
    for name, part in parts.items():
        sliders = part(page, address)
        keys = ZOOM if part is _zoom else ARROWS
        _rest(server)
        for slider in sliders:
            slider.focus()
            for key in keys:
                page.keyboard.press(key)
                page.wait_for_timeout(1000 * SETTLING)
        _rest(server)
        asked.clear()
        before, begun = used(server)["cpu_seconds"], time.monotonic()
        for slider in sliders:
            slider.focus()
            for step in range(STEPS):
                page.keyboard.press(keys[step >= STEPS // 2])
                page.wait_for_timeout(1000 * STEP)
        page.wait_for_timeout(1000 * SETTLING)
        cpu = used(server)["cpu_seconds"] - before
        found[name] = {
            "sliders": len(sliders), "requests": len(asked), "cpu_seconds": round(cpu, 2),
            "seconds": round(time.monotonic() - begun, 1),
        }  # fmt: skip
        print(f"{name}: {found[name]}", *sorted(set(asked)), flush=True)
    return found


def _rest(server: int) -> None:
    """Waits until the server takes less than a twentieth of a core: it makes the engine ready, and computes ahead."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        before = used(server)["cpu_seconds"]
        time.sleep(SETTLING)
        if used(server)["cpu_seconds"] - before < 0.05 * SETTLING:
            return


def _zoom(page: "Page", address: str) -> list["Locator"]:
    """Only the page can do this: without its decoder, pictures stay as they are."""
    page.locator(".wsr-pictures button:visible").first.click()
    frame = page.locator(".wsr-frame[data-field]:visible").first
    frame.wait_for()
    return [frame]


def _alpha(page: "Page", address: str) -> list["Locator"]:
    page.get_by_role("tab", name="Connect").click()
    page.locator(".wsr-six figure img:visible").nth(5).wait_for()
    page.get_by_label("Emoji", exact=True).locator("visible=true").check()
    page.wait_for_timeout(1000 * SETTLING)
    return [page.locator(".wsr-walk input[type=range]")]


def _symmetry(page: "Page", address: str) -> list["Locator"]:
    page.get_by_role("tab", name="Symmetry").click()
    page.get_by_label("Emoji", exact=True).locator("visible=true").check()
    page.locator(".wsr-row:visible", has_text="with these terms").locator("img").wait_for()
    page.get_by_label("they stay").click()
    page.locator(".wsr-row:visible", has_text="scale changed").locator("img").nth(1).wait_for()
    names = ("range slider for How far", "range slider for Layer drawn")
    return [page.get_by_label(name, exact=True).locator("visible=true") for name in names]


def _edit(page: "Page", address: str) -> list["Locator"]:
    page.goto(f"{address}?tab=generate&data=faces-large&kind=mlora-asym")
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    page.get_by_role("button", name="Edit").locator("visible=true").click()
    slider = page.get_by_label("range slider for Amount").locator("visible=true")
    slider.wait_for()
    page.wait_for_timeout(1000 * SETTLING)
    return [slider]
