"""Measures whether the app's memory, disk space and idle time stay bounded: `python -m precompute.soak [--report]`.

This starts the app on a free port of this machine. One visitor after another comes, clicks on maps, moves α in Connect
or fits, and leaves. Meanwhile it prints the memory of the server and its children, the size of the temporary files, and
how long answers took. At the end it prints how many CPU seconds the server takes in a minute without visitors.
`--report` writes all of it to assets/reports/soak.json.

`--root` measures the app of another checkout. With the default options it takes a quarter of an hour.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from precompute.visitors import serving, used
from precompute.visitors_page import Page, Visitor
from wsr.paths import assets_dir, atomic_path

VISITORS = 5  # visitors, who come one after another and share the actions
SAMPLES = ("photo:cat", "photo:astronaut")
INTERVAL = 10.0  # seconds between two checks of whether the server is at rest
SETTLING = 0.1  # share of a core below which the server is at rest
PATIENCE = 600.0  # seconds within which the server must come to rest


@dataclass
class Soak:
    """The measurements so far. rows: each has the number of actions done, the megabytes of memory and of temporary
    files, and the median seconds of an action since the previous row."""

    server: int
    files: Path
    rows: list[dict] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def measure(self, phase: str, done: int) -> None:
        times, self.times = sorted(self.times), []
        self.rows.append({
            "phase": phase, "done": done, "megabytes": round(used(self.server)["megabytes"]),
            "files": round(sum(file.stat().st_size for file in _files(self.files)) / 2**20, 1),
            "seconds": round(times[len(times) // 2], 2) if times else None,
        })  # fmt: skip
        print("{phase:10}{done:>6}   memory {megabytes:>6} MB   files {files:>7} MB   median {seconds} s".format(
            **self.rows[-1]), flush=True)  # fmt: skip


def _files(folder: Path) -> Iterator[Path]:
    for top, _, names in os.walk(folder):
        yield from (path for path in (Path(top, name) for name in names) if path.is_file())


async def visits(page: Page, soak: Soak, phase: str, count: int, seed: int) -> None:
    """Performs `count` actions of one kind, divided among visitors who come and leave."""
    chance, done = random.Random(f"{seed} {phase}"), 0
    for number in range(VISITORS):
        mine = [i for i in range(count) if i * VISITORS // max(count, 1) == number]
        if not mine:
            continue
        async with Visitor(page, f"soak{phase}{number}") as visitor:
            await visitor.open()
            if phase == "click":
                offered = _offered(visitor)
                await visitor.change_data(offered[number % len(offered)])
            for _ in mine:
                begun = time.monotonic()
                await _act(visitor, phase, chance)
                soak.times.append(time.monotonic() - begun)
                done += 1
                if done % max(1, count // 10) == 0:
                    soak.measure(phase, done)


def _offered(visitor: Visitor) -> list[str]:
    """The data sets that the page offers."""
    return [value for _, value in visitor.page.widgets[visitor.page.data_sets]["props"]["choices"]]


async def _act(visitor: Visitor, phase: str, chance: random.Random) -> None:
    if phase == "click":
        await visitor.click(chance.choice(visitor.items))
    elif phase == "alpha":
        await visitor.alpha(round(0.05 * chance.randrange(21), 2))
    else:
        await visitor.choose_sample(chance.choice(SAMPLES))
        await visitor.fit(100, time.monotonic() + 600)


def at_rest(server: int) -> None:
    """Waits until the server is at rest."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        before = used(server)["cpu_seconds"]
        time.sleep(INTERVAL)
        if used(server)["cpu_seconds"] - before < SETTLING * INTERVAL:
            return


def idle(server: int, seconds: float) -> float:
    """CPU seconds that the server takes in a minute, measured over `seconds` seconds."""
    before, begun = used(server)["cpu_seconds"], time.monotonic()
    time.sleep(seconds)
    return 60 * (used(server)["cpu_seconds"] - before) / (time.monotonic() - begun)


def arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clicks", type=int, default=300)
    parser.add_argument("--alphas", type=int, default=30)
    parser.add_argument("--fits", type=int, default=10)
    parser.add_argument("--idle", type=float, default=120.0, help="seconds without visitors, at the end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--report", action="store_true")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> dict:
    asked = arguments(given)
    before = os.environ.get("GRADIO_TEMP_DIR")
    with tempfile.TemporaryDirectory(prefix="wsr-soak-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # the server writes all its temporary files there
        try:
            with serving(asked.root) as (url, server):
                soak, page = Soak(server, Path(folder)), Page.of(url)
                soak.measure("start", 0)
                for phase, count in (("click", asked.clicks), ("alpha", asked.alphas), ("fit", asked.fits)):
                    asyncio.run(visits(page, soak, phase, count, asked.seed))
                at_rest(server)
                rest = idle(server, asked.idle)
                soak.measure("idle", 0)
        finally:
            os.environ.pop("GRADIO_TEMP_DIR")
            if before is not None:
                os.environ["GRADIO_TEMP_DIR"] = before
    print(f"Without visitors the server took {rest:.2f} CPU seconds a minute.", flush=True)
    found = {"rows": soak.rows, "idle_cpu_seconds_a_minute": round(rest, 2)}
    if asked.report:
        with atomic_path(assets_dir() / "reports" / "soak.json") as temporary:
            temporary.write_text(json.dumps(found, indent=1))
    return found


if __name__ == "__main__":
    main()
