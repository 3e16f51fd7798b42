"""Zoos of trajectories: 200 fits of each data set, with snapshots of their weights at five steps."""

from precompute.experiment import Cell, Context, Experiment
from precompute.fits import INIT_SEED, SIGMA, base_needed, fitted
from precompute.selection import zoo_signals
from wsr.data import Signals
from wsr.fitting.fit import representation_for
from wsr.progress import bar
from wsr.zoo import Zoo
from wsr.zoo.trajectories import build_trajectories

INSTANCES = 200
PARTS = (0.02, 0.1, 0.3, 0.6, 1.0)  # shares of the steps after which snapshots are taken: losses fall fast at first


def signals_of(data: str) -> Signals:
    return zoo_signals(data)[:INSTANCES]


def run(cell: Cell, context: Context) -> None:
    signals, steps = signals_of(cell.data), context.settings(cell.data).fit.steps
    zoo = Zoo.create(
        context.path(f"zoos/{context.zoo(cell.data, cell.representation)}-trajectories"),
        representation_for(cell.representation, context.base(cell.data), signals.modality, preset=context.preset),
        dataset=cell.data,
        preset=context.preset,
        init="centered",
        sigma=SIGMA,
        init_seed=INIT_SEED,
        steps=steps,
        snapshots=[round(steps * part) for part in PARTS],
    )
    with bar(str(cell)) as update:
        for record in build_trajectories(zoo, signals, zoo.meta["snapshots"], device=context.device):
            update(record.done, record.total, f"quality {record.quality:.3f}")


EXPERIMENT = Experiment(
    name="trajectories",
    title="`zoos/*-trajectories/`: 200 fits of each data set, their weights at five steps",
    data=("faces", "shapes10"),
    grid={"representation": ("mlora-asym",)},
    signals=signals_of,
    settings=lambda cell, context: fitted(cell, context) | {"parts": PARTS},
    needs=base_needed,
    makes=("zoos/{zoo}-trajectories",),
    run=run,
    place=3,
    size="2 × 15.8 MB",
    time="10 min",
)
