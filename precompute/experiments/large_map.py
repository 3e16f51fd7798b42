"""How fast a map of 100,000 networks is in a browser.

The zoo consists of perturbed real weights: a hundred copies of each of a thousand emoji, with noise of a tenth of each
parameter's standard deviation. It is written to build/large, takes 1.6 GB and is not committed. This measures the
median time of a frame while the map is dragged in headless Chromium with software GL, and the seconds from a click to
its picture.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save_file

from precompute.browser import browser_page, free_port, wait_for
from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.live import PICTURE, POINT
from precompute.records import asset_hash
from precompute.tables import write_json
from precompute.visitors import end
from wsr.analysis import place
from wsr.identity import Identity
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo

if TYPE_CHECKING:
    from playwright.sync_api import Page

REAL, NAME = "emoji-mlora-asym", "emoji100k-mlora-asym"
COPIES, NOISE, PER_FILE = 100, 0.1, 600
FOLDER = Path("build/large")
FRAMES = """() => new Promise((done) => {
  const times = [];
  const frame = (now) => { times.push(now); times.length < 60 ? requestAnimationFrame(frame) : done(times); };
  requestAnimationFrame(frame);
})"""


def make() -> None:
    """Makes an assets folder with links to the real bases and zoos, and with the large zoo and its map."""
    zoo, done = Zoo.open(REAL), FOLDER / "maps" / f"{NAME}.parquet"
    made_of = {"zoo": asset_hash(zoo.path), "map": asset_hash(assets_dir() / "maps" / f"{REAL}.parquet")}
    identity, label = Identity.of("large map", 1, **made_of, copies=COPIES, noise=NOISE), FOLDER / "identity.json"
    if done.exists() and label.exists() and json.loads(label.read_text()) == identity.record():
        return
    shutil.rmtree(FOLDER, ignore_errors=True)  # what another run has left
    folder = FOLDER / "zoos" / NAME
    for path in (folder, FOLDER / "maps"):
        path.mkdir(parents=True, exist_ok=True)
    for path in (assets_dir() / "bases", assets_dir() / "zoos" / REAL, assets_dir() / "maps" / f"{REAL}.parquet"):
        link = FOLDER / path.relative_to(assets_dir())
        link.parent.mkdir(exist_ok=True)
        link.exists() or link.symlink_to(path.resolve())
    generator = torch.Generator().manual_seed(0)
    weights = zoo.weights()  # (n, p)
    std = NOISE * weights.std(0)
    real = pd.read_parquet(assets_dir() / "maps" / f"{REAL}.parquet")
    maps = {(m, d): part.set_index("id").loc[zoo.ids] for (m, d), part in real.groupby(["method", "dims"], sort=False)}
    tables, names = [], [f"{item}~{copy}" for copy in range(COPIES) for item in zoo.ids]
    coordinates = {key: [] for key in maps}
    with bar("large map") as update:
        pending, number = torch.zeros(0, weights.shape[1], dtype=torch.float16), 0
        for copy in range(COPIES):
            moved = weights + std * torch.randn(weights.shape, generator=generator)
            for key, part in maps.items():
                known = part[["x", "y", "z"][: key[1]]].to_numpy(np.float32)
                coordinates[key].append(place(moved.numpy(), weights.numpy(), known) if copy else known)
            pending = torch.cat([pending, moved.half()])
            while len(pending) >= PER_FILE or (copy == COPIES - 1 and len(pending)):
                save_file({"weights": pending[:PER_FILE].clone()}, folder / f"weights-{number:05d}.safetensors")
                pending, number = pending[PER_FILE:], number + 1
            update(copy + 1, COPIES)
    index = pd.concat([zoo.index] * COPIES, ignore_index=True)
    index["id"] = names
    index.to_parquet(folder / "index.parquet", index=False)
    (folder / "zoo.json").write_text((assets_dir() / "zoos" / REAL / "zoo.json").read_text())
    for (method, dims), parts in coordinates.items():
        xyz = np.zeros((len(names), 3), np.float32)
        xyz[:, :dims] = np.concatenate(parts)
        table = pd.DataFrame(xyz, columns=list("xyz")).assign(id=names, method=method, dims=dims)
        tables.append(table)
    with atomic_path(label) as temporary:
        temporary.write_text(json.dumps(identity.record()))
    with atomic_path(done) as temporary:
        pd.concat(tables, ignore_index=True).to_parquet(temporary, index=False)


def measure() -> dict:
    port = free_port()
    environment = {**os.environ, "WSR_ASSETS": str(FOLDER.resolve())}
    server = subprocess.Popen([sys.executable, "-m", "wsr.cli", "app", "--port", str(port)], env=environment)
    try:
        address = f"http://127.0.0.1:{port}/?tab=atlas&data=emoji100k"
        wait_for(address)
        with browser_page() as page:
            page.set_default_timeout(120_000)
            begun = time.monotonic()
            page.goto(address)
            page.wait_for_function("document.querySelector('.wsr-plot')?._fullData?.[0]?.x?.length > 5000")
            found = {"points": 1000 * COPIES, "map_seconds": time.monotonic() - begun}
            page.wait_for_timeout(15_000)
            frames = _pan(page)
            found |= {"frame_ms_median": statistics.median(frames), "frame_ms_worst": max(frames)}
            found["click_seconds"] = [_click(page, i) for i in range(7, 700, 99)]
            page.screenshot(path=FOLDER / "map.png")
    finally:
        end(server)
    return found


def _pan(page: "Page") -> list[float]:
    """Milliseconds between frames while the map is dragged."""
    box = page.locator(".wsr-plot").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(f"window.wsrFrames = ({FRAMES})()")
    for i in range(120):
        page.mouse.move(x + 120 * np.sin(i / 9), y + 90 * np.cos(i / 9))
    times = page.evaluate("window.wsrFrames")
    page.mouse.up()
    page.wait_for_timeout(1000)
    return np.diff(times).tolist()


def _click(page: "Page", i: int) -> float:
    """Seconds from a click on a point until its picture is there."""
    before, (x, y) = page.evaluate(PICTURE), page.evaluate(POINT, [0, i])
    begun = time.monotonic()
    page.mouse.click(x, y)
    page.wait_for_function(f"before => {PICTURE} !== before", arg=before, polling=20)
    seconds = time.monotonic() - begun
    page.wait_for_timeout(4000)
    return seconds


def run(cell: Cell, context: Context) -> None:
    make()
    write_json(context.path("reports/large-map.json"), measure())


EXPERIMENT = Experiment(
    name="large_map",
    title="`reports/large-map.json`: a map of 100,000 perturbed weights in a browser (the map itself stays in "
    "build/large)",
    needs=(f"zoos/{REAL}", f"maps/{REAL}.parquet"),
    settings=lambda cell, context: {"copies": COPIES, "noise": NOISE},
    makes=("reports/large-map.json",),
    run=run,
    presets=("cpu",),
    by_hand=True,
    place=27,
    size="1 kB",
    time="5 min",
)
