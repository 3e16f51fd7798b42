"""How long a visitor waits, measured in a browser on this machine.

All values are in seconds.

- Start: from the command to the server's first answer; from there to the map's points (which are painted before Gradio
  has loaded) and to the map itself; the latter again for later visitors.
- Atlas: from a click to the picture or the surface.
- Fit: from pressing Fit to 30 dB (with an emoji, or with a photograph if no emoji have been fetched), and to an IoU of
  0.9.
- Connect: from opening the tab to its six pictures, and from a step of α to six new pictures.
- Generate: from pressing Sample to the first pictures, to the last pictures and to the verdicts, and from Stop to the
  end.
- Other tabs: from a click on the tab to its first picture.
"""

import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from precompute.browser import SIZE, browser_page, free_port, wait_for
from precompute.experiment import Cell, Context, Experiment
from precompute.tables import write_json
from precompute.visitors import end
from wsr.data.registry import everything, slug
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

POINT = """([trace, i]) => {
  const plot = document.querySelector(".wsr-plot"), {xaxis, yaxis} = plot._fullLayout, data = plot._fullData[trace];
  const box = plot.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.d2p(data.x[i]), box.top + yaxis._offset + yaxis.d2p(data.y[i])];
}"""
PICTURE = "document.querySelector('.wsr-frame img')?.src"

TABS = ("Connect", "Symmetry", "Generate", "Audit")
# Whether the open tab shows a picture: an image, a cell with a background image, or a chart
SHOWN = """() => [...document.querySelectorAll('[role=tabpanel]')].filter((panel) => panel.clientHeight).some((panel) =>
  [...panel.querySelectorAll('img, .wsr-thumb, .wsr-plot .main-svg')].some((part) => part.clientHeight > 20 &&
    (!part.matches('.wsr-thumb') || part.style.backgroundImage)))"""
GRID = """() => [...document.querySelectorAll('.wsr-pictures .wsr-thumb')].filter((cell) => cell.clientHeight > 60)
  .map((cell) => cell.style.backgroundImage).join()"""

# The sources of the six pictures. Halfway between two shapes some may have no surface, and so no picture.
SIX = """() => [...document.querySelectorAll(".wsr-six figure")].map((one) => one.querySelector("img")?.src ?? "")"""
ALL_CHANGED = f"""before => {{
  const now = ({SIX})();
  return now.length === 6 && now.every((src, i) => src !== before[i] || (!src && !before[i]));
}}"""


def run(cell: Cell, context: Context) -> None:
    port, found = free_port(), {}
    with browser_page() as page:
        begun = time.monotonic()
        server = subprocess.Popen([sys.executable, "-m", "wsr.cli", "app", "--port", str(port)])
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            found["server_seconds"] = time.monotonic() - begun
            found |= _first(page, f"http://127.0.0.1:{port}/") | _tabs(page, port)
        finally:
            end(server)
    write_json(context.path("reports/live.json"), found)


def _first(page: "Page", address: str) -> dict:
    """Measures the first visit: the map, clicks on it, and fits."""
    begun, found = time.monotonic(), {}
    page.goto(address, wait_until="commit")
    page.wait_for_selector(".wsr-first canvas")
    found["first_picture_seconds"] = time.monotonic() - begun
    page.wait_for_selector(".wsr-plot .main-svg")
    found["map_seconds"] = time.monotonic() - begun
    page.wait_for_timeout(8000)
    found["picture_seconds"] = [_picture(page, trace, 3) for trace in range(5)]
    page.get_by_label(next(one.title for one in everything() if one.modality.has_surface), exact=True).first.check()
    page.wait_for_timeout(8000)
    found["surface_seconds"] = [_surface(page, trace, 5) for trace in range(5)]
    page.get_by_role("tab", name="Fit").click()
    samples = (("keycap 9", "emoji"), ("chair", "chair"), ("astronaut", "photograph"))
    return found | {key: _fit(page, sample) for sample, key in samples}


def _tabs(page: "Page", port: int) -> dict:
    """Measures how long later visitors wait for the map and for the other tabs that have something to show."""
    address, browser, found = f"http://127.0.0.1:{port}/", page.context.browser, {}
    for dataset in (slug(one.name) for one in everything(parts=True)):
        if (assets_dir() / "zoos" / f"{dataset}-mlp-pairs" / "zoo.json").exists():
            found[f"connect {dataset}"] = _connect(page, f"{address}?tab=connect&data={dataset}")
    found["map_again_seconds"] = [_map(browser, port) for _ in range(3)]
    found["tabs"] = {name: _tab(browser, port, name) for name in TABS if name != "Audit" or audited()}
    for path in sorted((assets_dir() / "diffusion").glob("*-mlora-asym.safetensors")):
        data = path.stem.removesuffix("-mlora-asym")
        found[f"generate {data}"] = _generate(page, f"{address}?tab=generate&data={data}&kind=mlora-asym")
    return found


def audited() -> bool:
    return any((assets_dir() / "reports").glob("audit-*.parquet"))


def _picture(page: "Page", trace: int, i: int) -> float:
    before, (x, y) = page.evaluate(PICTURE), page.evaluate(POINT, [trace, i])
    begun = time.monotonic()
    page.mouse.click(x, y)
    page.wait_for_function(f"before => {PICTURE} !== before", arg=before, polling=20)
    seconds = time.monotonic() - begun
    page.wait_for_timeout(700)
    return seconds


def _surface(page: "Page", trace: int, i: int) -> float:
    x, y = page.evaluate(POINT, [trace, i])
    begun = time.monotonic()
    with page.expect_response(lambda response: ".glb" in response.url and response.ok):
        page.mouse.click(x, y)
    seconds = time.monotonic() - begun
    page.wait_for_timeout(1500)
    return seconds


def _connect(page: "Page", address: str) -> dict:
    page.goto(address, wait_until="commit")
    six = page.locator(".wsr-six figure:visible")
    page.get_by_role("tab", name="Connect").wait_for()
    begun, moved = time.monotonic(), []
    six.nth(5).wait_for()
    first = time.monotonic() - begun
    page.wait_for_timeout(3000)
    slider = page.locator("input[type=range]:visible").first
    for _ in range(5):
        before = page.evaluate(SIX)
        slider.focus()
        begun = time.monotonic()
        page.keyboard.press("ArrowRight")
        page.wait_for_function(ALL_CHANGED, arg=before, polling=20)
        moved.append(time.monotonic() - begun)
        page.wait_for_timeout(1000)
    return {"first_seconds": first, "step_seconds": moved}


def _map(browser: "Browser", port: int) -> float:
    """Seconds from opening the address to the map, for a visitor who is not the first."""
    page = browser.new_page(viewport=SIZE)
    begun = time.monotonic()
    page.goto(f"http://127.0.0.1:{port}/", wait_until="commit")
    page.wait_for_selector(".wsr-plot .main-svg")
    seconds = time.monotonic() - begun
    page.wait_for_timeout(2000)
    page.close()
    return seconds


def _tab(browser: "Browser", port: int, name: str) -> float:
    """Seconds from a click on a tab to the tab's first picture."""
    page = browser.new_page(viewport=SIZE)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector(".wsr-plot .main-svg")
    page.wait_for_timeout(3000)
    page.get_by_role("tab", name=name).click()
    begun = time.monotonic()
    page.get_by_role("tab", name=name, selected=True).wait_for()
    page.wait_for_function(SHOWN, polling=20)
    seconds = time.monotonic() - begun
    page.close()
    return seconds


def _generate(page: "Page", address: str) -> dict:
    page.goto(address, wait_until="commit")
    state = page.locator(".wsr-state:visible")
    state.filter(has_text="Open one").wait_for(timeout=60_000)
    page.locator(".wsr-row:visible img").first.wait_for()  # the page has finished loading: one of the samples is open
    page.wait_for_timeout(1000)
    found, press = {}, page.get_by_role("button", name="Sample", exact=True)
    before, begun = page.evaluate(GRID), time.monotonic()
    press.click()
    page.wait_for_function(f"before => ({GRID})() !== before", arg=before, polling=20)
    found["first_seconds"] = time.monotonic() - begun
    # the search for copies of pictures may end before its message can be seen
    state.filter(has_text=re.compile("Looking for copies|new networks")).wait_for(timeout=120_000)
    found["drawn_seconds"] = time.monotonic() - begun
    state.filter(has_text="new networks").wait_for(timeout=120_000)
    found["verdict_seconds"] = time.monotonic() - begun
    page.get_by_role("button", name="Sample", exact=True).click()
    state.filter(has_text="Step ").wait_for(timeout=60_000)
    begun = time.monotonic()
    page.get_by_role("button", name="Stop", exact=True).click()
    ended = re.compile("Stopped|new networks")  # sampling takes half a second, and may have ended by itself
    state.filter(has_text=ended).wait_for(timeout=60_000)
    return found | {"stop_seconds": time.monotonic() - begun}


def _fit(page: "Page", sample: str) -> dict:
    """Seconds from pressing Fit until 30 dB or an IoU of 0.9 is reached and until the end, and the text at the end."""
    page.get_by_role("button", name=sample).click()
    page.locator(".wsr-state:visible", has_text="is chosen").wait_for()
    page.get_by_role("button", name="Fit", exact=True).click()
    begun, reached, text = time.monotonic(), None, ""
    while not re.match("Done|Stopped", text) and time.monotonic() - begun < 180:
        page.wait_for_timeout(50)
        text = " ".join(page.locator(".wsr-state:visible").all_inner_texts())
        value = re.search(r"([\d.]+) dB|IoU ([\d.]+)", text)
        good = value and (float(value[1] or 0) >= 30 or float(value[2] or 0) >= 0.9)
        if good and reached is None:
            reached = time.monotonic() - begun
    return {"reached_seconds": reached, "seconds": time.monotonic() - begun, "end": text}


EXPERIMENT = Experiment(
    name="live",
    title="`reports/live.json`: how long a visitor waits, measured in a browser",
    makes=("reports/live.json",),
    run=run,
    presets=("cpu",),
    by_hand=True,
    place=28,
    size="1 kB",
    time="2.5 min",
)
