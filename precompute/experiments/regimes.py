"""Whether generators of weights copy because of what they are, or because they are trained for long.

Our diffusion model and the peers of an audit (`peers`) are trained on the same zoo for four lengths, up to the one at
which `peers` compares them. No validation loss ends a training here. The parts of p-diff are an autoencoder, which is
trained in full each time, and the diffusion model that draws its samples. Copies are what the audit of `audits` calls
replicas and blends; where a training should have ended is told by the FD of its samples against held-out fits.
"""

from dataclasses import replace
from functools import singledispatch
from typing import Any

from scipy.stats import binomtest

from precompute.experiment import Cell, Context
from precompute.experiments.generation import config_of
from precompute.experiments.peers import AUTOENCODER_STEPS, LEARNT, PAIR_STEPS, learnt_by, trained
from precompute.generators import Generator
from precompute.judging import COUNT, STEPS, ablation, judge, training_settings
from wsr.generators.base import TrainSettings
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.diffusion.config import without_patience
from wsr.generators.latent import LatentConfig
from wsr.generators.p_diff import PDiffConfig
from wsr.generators.registry import kinds, named
from wsr.paths import cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo

SHARES = (0.125, 0.25, 0.5, 1.0)  # of the longest training


def run(cell: Cell, context: Context) -> list[dict]:
    kind, name = named(cell["generator"]), context.zoo(cell.data, cell.representation)
    zoo = Zoo.open(context.path(learnt_by(kind, cell, context)))
    training = kind.generator.training(zoo, TrainSettings(config=shortened(longest(cell, context), cell["share"])))
    checkpoint = cache_dir() / "training" / f"regimes-{name}-{training.identity.short}.checkpoint"
    steps = training.steps
    with bar(str(cell)) as update:
        for record in training.stream(checkpoint):
            steps = record.step  # at the end, those of the part that is shortened: it comes last
            update(record.step, record.steps, f"loss {record.loss:.4f}")
    found = judge(name, context)(training.generator.sample(COUNT, steps=STEPS, seed=0).cpu())
    checkpoint.unlink(missing_ok=True)
    copies = binomtest(round((1 - found["novel"]) * COUNT), COUNT)
    interval = copies.proportion_ci(method="wilson")
    about = {"generator": kind.name, "share": cell["share"], "steps": steps, "samples": COUNT}
    return [about | {"copies": copies.statistic, "low": interval.low, "high": interval.high} | found]


def longest(cell: Cell, context: Context) -> Any:
    """The settings of a generator's longest training."""
    if named(cell["generator"]).role == "own":
        found = config_of(Generator(cell.data, cell.representation), context)
        return found and without_patience(found)
    return trained(context.preset)[cell["generator"]].config


@singledispatch
def shortened(config: Any, share: float) -> Any:
    """Returns settings for a share of a training's steps."""
    raise TypeError(f"no training has settings like {config!r}")


@shortened.register(DiffusionConfig)
@shortened.register(LatentConfig)
def _(config: DiffusionConfig | LatentConfig, share: float) -> DiffusionConfig | LatentConfig:
    return replace(config, steps=max(1, round(config.steps * share)))


@shortened.register
def _(config: PDiffConfig, share: float) -> PDiffConfig:
    return replace(config, diffusion=shortened(config.diffusion, share))


def grid(context: Context) -> list[dict]:
    names = [kind.name for kind in kinds() if kind.audited and kind.role in ("own", "peer")]
    return [
        {"data": data, "representation": representation, "generator": name, "share": share}
        for data in context.data(EXPERIMENT)
        for representation in LEARNT
        for name in names
        for share in SHARES
    ]


def settings(cell: Cell, context: Context) -> dict:
    steps = {"autoencoder": AUTOENCODER_STEPS, "pairs": PAIR_STEPS}
    return training_settings(cell, context) | {"longest": longest(cell, context), "steps of peers": steps}


def needs(cell: Cell, context: Context) -> list[str]:
    return list(dict.fromkeys(["zoos/{zoo}", learnt_by(named(cell["generator"]), cell, context)]))


EXPERIMENT = ablation(
    "regimes",
    "generator",
    "share",
    title="`reports/regimes.*`: copies of four generators, each trained for four lengths",
    data=("shapes10",),
    grid=grid,
    settings=settings,
    needs=needs,
    run=run, place=18, size="5 kB", time="2 to 46 min a cell, beside other work",
)  # fmt: skip
