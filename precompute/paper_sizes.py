"""Takes pictures in FFHQ's layout and meshes in ShapeNetCore's through every step at the paper's sizes, with two
optimizer steps each: base, zoo, tables, generator, samples, their pictures, and their evaluation.

    python -m precompute.paper_sizes --depth 1

It shows that the preset `paper` runs, and what it takes of a machine: the seconds and the CPU seconds of every step,
and the most memory so far. The pictures and meshes are generated. All sizes of networks, batches and points are the
preset's, with two exceptions on a small machine: twelve blocks of the generator take 38 GB for their parameters,
gradients, averages and Adam's moments, and `--depth` makes do with fewer; without a GPU surfaces of 128³ samples take
hours, and `--resolution` decodes fewer.

It is no experiment: after two steps nothing has been learnt. Fits that would be called poor count as good here.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
from PIL import Image

from precompute import __main__ as command
from precompute.experiment import Context
from wsr import cli, presets
from wsr.data.shapes10.generate import CATEGORIES, generate
from wsr.errors import WsrError
from wsr.generators.diffusion import config
from wsr.modalities import IMAGE, OCCUPANCY, Modality
from wsr.paths import assets_dir

STEPS = 2
PROBED = 5  # meshes of a category that table 4 takes at least
POINTNET = Path(__file__).parents[1] / "assets/metrics/pointnet-shapes10.safetensors"
SYNSETS = dict(zip(CATEGORIES, (f"{2691156 + 9973 * i:08d}" for i in range(len(CATEGORIES))), strict=True))


@dataclass(frozen=True)
class Sizes:
    """What is taken through all steps. depth: blocks of the generator; resolution: at which weights are decoded, by
    default the preset's; samples: weights that are sampled and compared."""

    images: int = 300
    meshes: int = 60
    representations: tuple[str, ...] = ("mlora-asym", "mlp")
    depth: int = 12
    resolution: int | None = None
    samples: int = 4


@dataclass(frozen=True)
class Spent:
    """What a step took: seconds, CPU seconds of this process and of its children, and the most GB that this process has
    had so far."""

    step: str
    seconds: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{self.step:<44} {self.seconds:8.1f} s {self.cpu:8.1f} CPU s {self.memory:6.1f} GB"


def pictures(folder: Path, count: int, side: int = 128) -> str:
    """Writes generated pictures in the layout of FFHQ's thumbnails128x128, and returns their name as a data set."""
    y, x = np.mgrid[0:side, 0:side] / side
    for i in range(count):
        noise = np.random.default_rng(i)
        waves = [np.sin(k @ np.stack([x, y]).reshape(2, -1) * 6).reshape(side, side) for k in noise.normal(size=(3, 2))]
        path = folder / f"{i // 1000 * 1000:05d}" / f"{i:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.uint8(127 * (1 + np.stack(waves, -1)))).save(path)
    return f"images:{folder}#{count}"


def meshes(folder: Path, count: int) -> str:
    """Writes generated meshes in ShapeNetCore's layout, as many of each of ten categories, and returns their name as a
    data set."""
    each = count // len(CATEGORIES)
    if not each:
        raise WsrError(f"There are {len(CATEGORIES)} categories of meshes: {count} are too few.")
    for category, synset in SYNSETS.items():
        for seed in range(each):
            path = folder / synset / f"{seed:032x}" / "models" / "model_normalized.obj"
            path.parent.mkdir(parents=True, exist_ok=True)
            generate(category, seed).export(path)
    return f"meshes:{folder}#{len(CATEGORIES)}x{each}"


@contextmanager
def two_steps(modality: Modality, sizes: Sizes) -> Iterator[None]:
    """Within this context, the preset `paper` takes two steps where it would take thousands: a base's first and last
    stage one each, so that the largest batches of either kind are seen."""
    usual = presets.preset("paper", modality)
    stages = tuple(replace(usual.base.stages[at], steps=STEPS // 2) for at in (0, -1))
    short = replace(usual, fit=replace(usual.fit, steps=STEPS), base=replace(usual.base, stages=stages))
    short = replace(short, resolution=sizes.resolution or usual.resolution)
    network = replace(config.diffusion_preset("paper"), depth=sizes.depth)
    with ExitStack() as changes:
        changes.enter_context(patch.dict(presets._PRESETS, {("paper", modality.name): short}))
        changes.enter_context(patch.dict(config._PRESETS, {"paper": network}))
        changes.enter_context(patch.object(modality, "poor", -np.inf))
        yield


def chain(data: str, modality: Modality, sizes: Sizes) -> Iterator[Spent]:
    """Takes a data set through all steps at the preset `paper`, and yields what each took. WsrError if one fails."""
    name, given = Context("paper").named(data), ["--preset", "paper", "--data", data]
    files, extractor = assets_dir() / "paper-sizes" / name, []
    if modality.has_surface:
        extractor = ["--extractor-weights", str(POINTNET)]
    tables = ["table1", "table4"] if modality.has_surface and sizes.meshes >= PROBED * len(CATEGORIES) else ["table1"]
    with two_steps(modality, sizes):
        yield from _step("data", cli.main, ["data", data])
        yield from _step("base", command.main, ["run", "bases", *given])
        for kind in sizes.representations:
            yield from _step(f"zoo of {kind}", command.main, ["run", "zoos", *given, "--only", kind])
            yield from _step(f"tables of {kind}", command.main, ["run", *tables, *given, "--only", kind])
            zoo, model, drawn = f"{name}-{kind}", f"{files}-{kind}.safetensors", f"{files}-{kind}-samples"
            count = str(sizes.samples)
            for step, line in (
                ("generator", ["diffuse", zoo, "--steps", str(STEPS), "--out", model]),
                ("samples", ["sample", model, "--count", count, "--steps", str(STEPS), "--out", drawn]),
                ("pictures of samples", ["render", drawn, "--count", "1", "--out", f"{drawn}-pictures"]),
                ("evaluation", ["evaluate", drawn, zoo, "--count", count, "--out", f"{drawn}.csv", *extractor]),
            ):
                yield from _step(f"{step} of {kind}", cli.main, line)


def _step(name: str, run, line: list[str]) -> Iterator[Spent]:
    begun, before = time.monotonic(), _cpu()
    if run(line) != 0:
        raise WsrError(f"The step {name} failed: {' '.join(line)}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    yield Spent(name, time.monotonic() - begun, _cpu() - before, memory)


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(given: list[str] | None = None) -> list[Spent]:
    parser = argparse.ArgumentParser(prog="python -m precompute.paper_sizes", description="The preset paper, run once.")
    parser.add_argument("--images", type=int, default=300, help="pictures in FFHQ's layout; 0 for none")
    parser.add_argument("--meshes", type=int, default=60, help="meshes in ShapeNetCore's layout; 0 for none")
    parser.add_argument("--depth", type=int, default=12, help="blocks of the generator")
    parser.add_argument("--resolution", type=int, help="at which weights are decoded; by default the preset's")
    parser.add_argument("--only", nargs="+", default=Sizes.representations, help="representations")
    asked = parser.parse_args(given)
    sizes, found = Sizes(asked.images, asked.meshes, tuple(asked.only), asked.depth, asked.resolution), []
    with tempfile.TemporaryDirectory(prefix="wsr-paper-") as name:
        folder = Path(name)
        with patch.dict(os.environ, {"WSR_ASSETS": str(folder / "assets"), "WSR_CACHE": str(folder / "cache")}):
            for modality, make, count in ((IMAGE, pictures, asked.images), (OCCUPANCY, meshes, asked.meshes)):
                if count:
                    for spent in chain(make(folder / modality.name, count), modality, sizes):
                        found.append(spent)
                        print(modality.name, spent, flush=True)
    return found


if __name__ == "__main__":
    main()
