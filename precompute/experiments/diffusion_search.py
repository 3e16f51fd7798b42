"""The search for the networks of the diffusion models: learning rate and its decay, width, depth and, for MLPs, the
size of tokens.

Every representation gets the same number of trials, so that HyperDiffusion's baseline (the diffusion of MLP weights) is
tuned with as much care as ours. A trial trains for a minute on one core and is judged by its validation loss; the test
split is not used. The search begins with the preset at several learning rates, and then tries the neighbours of the
best trial so far, which differ from it by one step of one axis. It ends when all neighbours of the best trial have been
tried, or when the trials are used up. The measured time of a step later decides how many steps a model gets.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from precompute.climbing import beside, next_setting
from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import OWN_SEARCH, SEARCHED, THREADS, search_report, searched_on, with_trial
from precompute.judging import train
from precompute.records import keep, kept
from precompute.tables import write_json
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.zoo import Zoo

RATES, SECONDS, TRIALS = (1e-3, 2e-3), 60, 20
WIDTHS, DEPTHS = (192, 256, 320, 448, 640), (1, 2, 3, 4, 6)
DIVERGED = 1e9  # stands for the validation loss of a training that diverged
TOKEN_SIZES = (160, 320, 640, 1280, None)  # None: each layer is one token
ENCODERS = (True, False)  # False: each matrix of an adapter is a token, without the layer encoder


@dataclass(frozen=True)
class Trial:
    """The settings of a trial, by their names in `DiffusionConfig`."""

    lr: float
    width: int
    depth: int
    token_size: int | None
    decay_steps: int | None = None
    encoder: bool = True

    @classmethod
    def of(cls, config: DiffusionConfig) -> "Trial":
        return cls(**{axis.name: getattr(config, axis.name) for axis in fields(cls)})


@dataclass(frozen=True)
class Budget:
    """The number of trials of a representation, and the CPU seconds of each. decays: lengths of a decay of the learning
    rate that are tried."""

    trials: int
    seconds: int
    decays: tuple[int | None, ...] = (None,)


def next_trial(
    known: Mapping[Trial, float], start: Trial, axes: Collection[str], budget: Budget
) -> Trial | None:  # fmt: skip
    """The next trial; None if all neighbours of the best one have been tried, or the budget is used up. known: the
    validation loss of each trial so far. start: the preset. axes: what is searched beside the learning rate."""
    first = [replace(start, lr=lr) for lr in RATES]
    return next_setting(known, first, partial(neighbours, axes=axes, decays=budget.decays), budget.trials, min)


def neighbours(trial: Trial, axes: Collection[str], decays: tuple[int | None, ...] = (None,)) -> Iterator[Trial]:
    """Yields the trials that differ from this one by one step of one axis."""
    yield from (replace(trial, lr=lr) for lr in (trial.lr / 2, trial.lr * 2))
    ladders = {"encoder": ENCODERS, "decay_steps": decays, "width": WIDTHS, "depth": DEPTHS, "token_size": TOKEN_SIZES}
    for axis in (axis for axis in ladders if axis in axes):
        yield from (replace(trial, **{axis: value}) for value in beside(ladders[axis], getattr(trial, axis)))


def preset_of(cell: Cell, context: Context) -> DiffusionConfig:
    """The settings that a search begins with."""
    return diffusion_preset(context.preset, cell.representation)


def axes_of(cell: Cell) -> tuple[str, ...]:
    """What is searched beside the learning rate; adapters have a layer encoder, and so no size of tokens."""
    return ("decay_steps", "width", "depth", *["token_size"] * (not registry.named(cell.representation).needs_base))


def search(
    zoo: Zoo, cell: Cell, preset: DiffusionConfig, axes: Collection[str], budget: Budget
) -> list[dict]:  # fmt: skip
    """Searches the network of a zoo's generator. Returns a row for each trial; those of a killed run are kept."""
    rows, name = kept(cell) or [], cell.representation
    start = Trial.of(preset)
    while True:
        known = {Trial.of(with_trial(preset, row)): row["validation loss"] for row in rows}
        trial = next_trial(known, start, axes, budget)
        if trial is None:
            return rows
        rows.append({"representation": name, **vars(trial), **tried(zoo, replace(preset, **vars(trial)), budget)})
        keep(cell, rows)


def tried(zoo: Zoo, config: DiffusionConfig, budget: Budget) -> dict:
    """Trains with the settings of a trial and returns the figures of its row. A training that diverges is the worst of
    all trials, and the search goes on."""
    training, diverged = training_of(zoo, config), ""
    try:
        seconds = train(training, budget.seconds, f"{config.lr:g}, {config.width}, {config.depth}")
    except WsrError as error:
        seconds, diverged = training.seconds, str(error)
    best = training.best
    found = {"validation loss": DIVERGED, "best step": None, "steps": training.step}
    found |= {"validation loss": best.loss, "best step": best.step} if best and not diverged else {}
    found |= {"seconds": seconds, "step seconds": seconds / max(1, training.step)}
    return found | ({"diverged": diverged} if diverged else {})


def searching(
    zoo_of: Callable[[Cell, Context], Zoo], budget: Callable[[Cell], Budget],
    begin: Callable[[Cell, Context], DiffusionConfig] = preset_of,
    axes: Callable[[Cell], Collection[str]] = axes_of, **declared: Any,
) -> Experiment:  # fmt: skip
    """Declares a search. zoo_of: the zoo from whose weights a cell's generator learns. budget: of a cell's search.
    begin: the settings of the first trials, but for their learning rates; axes: what is searched beside those."""

    def settings(cell: Cell, context: Context) -> dict:
        return {"config": begin(cell, context), "training": VERSION} | asdict(budget(cell))

    def report(found: Found, paths: list[Path], context: Context) -> None:
        rows = [row for _, rows in found for row in rows]
        about = {"data set": context.named(found[0][0].data)}
        write_json(paths[0], about | asdict(budget(found[0][0])) | {"rows": rows})

    return Experiment(
        settings=settings,
        run=lambda cell, context: search(zoo_of(cell, context), cell, begin(cell, context), axes(cell), budget(cell)),
        report=report,
        held=_held,
        report_by=("data",),
        threads=THREADS,
        place=11,
        **declared,
    )


def _held(report: dict, cell: Cell, context: Context) -> bool:
    """Whether a report has the trials of a cell. Some searches have an axis `encoder`, which is a column of theirs."""
    axes = [axis for axis in ("representation", "encoder") if axis in cell.values]
    return any(all(row[axis] == cell[axis] for axis in axes) for row in report["rows"])


def grid(context: Context) -> list[dict]:
    data = dict.fromkeys(map(searched_on, context.data(EXPERIMENT)))
    return [{"data": one, "representation": name} for one in data for name in registry.names()]


EXPERIMENT = searching(
    lambda cell, context: context.open_zoo(cell),
    lambda cell: Budget(TRIALS, SECONDS),
    name="diffusion_search",
    title="`reports/diffusion-search.json`: rates, widths, depths and tokens for the six, up to 20 minutes each",
    data=(SEARCHED, *OWN_SEARCH),
    grid=grid,
    needs=("zoos/{zoo}",),
    reports=lambda cell, context: [search_report(cell.data, context)],
    size="20 kB",
    time="1 h ᵃ (estimated)",
)
