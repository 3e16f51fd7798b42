"""Measures how long visitors wait for each other: `python -m precompute.visitors [--report]`.

This starts the app on a free port of this machine and sends the requests that the pages of twenty visitors send. Most
of them look around (clicks on the map, steps of α in Connect, other tabs), and three fit. Then the same is measured
while one more visitor uploads the worst meshes we know, again and again. For each kind of action it prints the median,
the 95th percentile and the maximum of the seconds from the action to its first and to its last answer; `--report`
writes them to assets/reports/visitors.json.

`--root` measures the app of another checkout, `--url` an app that runs already. The measurement takes a minute longer
than `--settle`, `--seconds` and `--mesh-seconds` together.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from precompute.browser import free_port, wait_for
from precompute.visitors_page import Page, Refused, Visitor
from wsr.data.registry import everything
from wsr.paths import assets_dir, atomic_path

THINKING = (1.0, 5.0)  # seconds between two actions of a visitor
ACTIONS = {"map": 0.6, "alpha": 0.25, "tab": 0.15}
SHAPES = 0.25  # share of the visitors who look at shapes, whose pictures are surfaces
STEPS = 300  # steps of a fit, which take five seconds on one core
PATIENCE = 120.0  # seconds that a visitor waits for an answer
AGAIN = 20  # uploads of each worst mesh, at most


@dataclass
class Seen:
    """What happened in one phase. times: for each action, pairs of the seconds to the first and to the last answer."""

    times: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def add(self, action: str, times: tuple[float, float]) -> None:
        self.times.setdefault(action, []).append(times)


async def looking(visitor: Visitor, seen: Seen, until: float, chance: random.Random) -> None:
    """Acts, waits for the answer and pauses, again and again until the time is over."""
    await asyncio.sleep(chance.uniform(0, THINKING[1]))
    first, solid = everything()[0].name, next(one.name for one in everything() if one.modality.has_surface)
    data = first if chance.random() > SHAPES else solid
    if data != first:
        await _timed(seen, "change data", visitor.change_data(data))
    while time.monotonic() < until:
        action = chance.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        if action == "map":
            await _timed(seen, f"click {data}", visitor.click(chance.choice(visitor.items)))
        elif action == "alpha":
            await _timed(seen, "alpha", visitor.alpha(round(0.05 * chance.randrange(21), 2)))
        else:
            tab = chance.choice(("connect", "symmetry", "generate", "audit"))
            await _timed(seen, f"tab {tab}", visitor.open_tab(tab))
        await asyncio.sleep(chance.uniform(*THINKING))


async def fitting(visitor: Visitor, seen: Seen, until: float, chance: random.Random) -> None:
    """Chooses a sample and fits it, again and again."""
    while time.monotonic() < until:
        await _timed(seen, "choose", visitor.choose_sample(chance.choice(("photo:cat", "photo:astronaut"))))
        await _timed(seen, "fit", visitor.fit(STEPS, until))


async def misusing(visitor: Visitor, seen: Seen, until: float, meshes: list[Path]) -> None:
    """Uploads one bad mesh after another and presses Fit. A refusal does not count as an error: `seen.said` collects
    the page's messages."""
    for mesh in meshes * AGAIN:
        if time.monotonic() > until:
            return
        begun = time.monotonic()
        with contextlib.suppress(Refused, httpx.HTTPError, TimeoutError):
            said = await asyncio.wait_for(visitor.upload(mesh), max(until + 20 - begun, 1))
            if "is chosen" in said:
                await asyncio.wait_for(visitor.fit(STEPS, until), max(until + 20 - time.monotonic(), 1))
        seen.said.append(f"{mesh.name}: {said if (said := visitor.said) else 'no answer'}")
        seen.add("worst mesh", (time.monotonic() - begun,) * 2)


async def _timed(seen: Seen, action: str, answer) -> None:
    try:
        seen.add(action, await asyncio.wait_for(answer, PATIENCE))
    except (Refused, httpx.HTTPError, TimeoutError) as error:
        seen.errors.append(f"{action}: {type(error).__name__} {error}"[:300])


async def phase(page: Page, seconds: float, looks: int, fits: int, meshes: list[Path], seed: int) -> Seen:
    """Lets all visitors act at once for `seconds` seconds, and then waits for the answers that are still due."""
    seen = Seen()
    async with contextlib.AsyncExitStack() as here:
        visitors = []
        for number in range(looks + fits + bool(meshes)):
            visitors.append(await here.enter_async_context(Visitor(page, f"v{seed}x{number}")))
        await asyncio.gather(*(_timed(seen, "page", visitor.open()) for visitor in visitors))
        until = time.monotonic() + seconds
        jobs = [looking(one, seen, until, random.Random(f"{seed} {i}")) for i, one in enumerate(visitors[:looks])]
        jobs += [
            fitting(one, seen, until, random.Random(f"{seed} fit {i}"))
            for i, one in enumerate(visitors[looks : looks + fits])
        ]
        if meshes:
            jobs.append(misusing(visitors[-1], seen, until, meshes))
        await asyncio.gather(*jobs)
    return seen


def summary(seen: Seen) -> dict:
    """p50, p95 and maximum of the seconds to the first and to the last answer, by action."""
    rows = {}
    for action, times in sorted(seen.times.items()):
        first, last = np.array(times).T
        rows[action] = {"count": len(times)} | {
            name: [round(float(value), 3) for value in (*np.percentile(column, [50, 95]), column.max())]
            for name, column in (("first", first), ("last", last))
        }
    return {"actions": rows, "errors": seen.errors, "told the worst": sorted(set(seen.said))}


def show(name: str, found: dict) -> None:
    print(f"\n{name}: {len(found['errors'])} errors")
    print(f"{'action':16}{'count':>6}   first answer: p50, p95, max    last answer: p50, p95, max (s)")
    for action, row in found["actions"].items():
        numbers = "   ".join(" ".join(f"{value:8.2f}" for value in row[part]) for part in ("first", "last"))
        print(f"{action:16}{row['count']:>6}   {numbers}")
    for line in [*found["errors"][:5], *found["told the worst"]]:
        print(" ", line)


def worst_meshes(folder: Path) -> list[Path]:
    """Writes two meshes: 20,000 random triangles, and 10,000 closed surfaces inside each other."""
    noise = np.random.default_rng(0)
    soup, shells = folder / "triangles.obj", folder / "nested.obj"
    corners = noise.uniform(-1, 1, (60_000, 3))
    soup.write_text(_obj(corners, np.arange(60_000).reshape(-1, 3)))
    tetrahedron = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    sides = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])
    sizes = np.linspace(0.1, 1, 10_000)
    shells.write_text(
        _obj(
            (sizes[:, None, None] * tetrahedron).reshape(-1, 3),
            (4 * np.arange(10_000)[:, None, None] + sides).reshape(-1, 3),
        )
    )
    return [soup, shells]


def _obj(vertices: np.ndarray, faces: np.ndarray) -> str:
    lines = [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices]
    return "\n".join(lines + [f"f {a + 1} {b + 1} {c + 1}" for a, b, c in faces]) + "\n"


@contextlib.contextmanager
def serving(root: Path):
    """Serves the app of a checkout on a free port. Yields its address and its process id."""
    port = free_port()
    start = f"from app.main import launch; launch('127.0.0.1', {port})"
    server = subprocess.Popen([sys.executable, "-c", start], cwd=root, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/", server.pid
    finally:
        end(server)


def end(server: subprocess.Popen, seconds: float = 30.0) -> None:
    """Asks a process to end, and kills it if it has not ended after `seconds` seconds. If it leads a process group of
    its own, the whole group is killed."""
    server.terminate()
    try:
        server.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(server.pid) == server.pid:
                os.killpg(server.pid, signal.SIGKILL)
        server.kill()
        server.wait()


def used(pid: int | None) -> dict[str, float]:
    """CPU seconds and resident memory (MB) of the server and its children."""
    found = {"cpu_seconds": 0.0, "megabytes": 0.0}
    if pid is None or not Path("/proc").is_dir():
        return found
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            head, _, rest = stat.read_text().rpartition(")")
            fields = rest.split()
            if int(head.split()[0]) == pid or int(fields[1]) == pid:
                found["cpu_seconds"] += (int(fields[11]) + int(fields[12])) / 100
                found["megabytes"] += int(fields[21]) * 4096 / 2**20
    return found


def arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--fitting", type=int, default=3, help="how many of the visitors fit")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--mesh-seconds", type=float, default=60.0, help="with the worst meshes; 0 leaves them out")
    parser.add_argument("--settle", type=float, default=30.0, help="seconds with one visitor, before the others come")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--url", help="an app that runs already, with a / at its end")
    parser.add_argument("--report", action="store_true")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> dict:
    asked = arguments(given)
    looks = asked.visitors - asked.fitting
    found = {}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, pid = (asked.url, None) if asked.url else stack.enter_context(serving(asked.root))
        page = Page.of(url)
        # the server imports the engine for its first visitor
        asyncio.run(phase(page, asked.settle, 1, 0, [], asked.seed + 2))
        for name, seconds, meshes in (
            ("plain", asked.seconds, []),
            ("worst mesh", asked.mesh_seconds, worst_meshes(folder)),
        ):
            if not seconds:
                continue
            before = used(pid)
            seen = asyncio.run(phase(page, seconds, looks, asked.fitting, meshes, asked.seed + bool(meshes)))
            after = used(pid)
            cpu = after["cpu_seconds"] - before["cpu_seconds"]
            found[name] = summary(seen) | {"cpu_seconds": round(cpu, 1), "megabytes": round(after["megabytes"])}
            show(f"{name}, {seconds:.0f} s, server: {cpu:.0f} CPU s, {after['megabytes']:.0f} MB", found[name])
    if asked.report:
        with atomic_path(assets_dir() / "reports" / "visitors.json") as temporary:
            temporary.write_text(json.dumps({"visitors": asked.visitors, "fitting": asked.fitting} | found, indent=1))
    return found


if __name__ == "__main__":
    main()
