"""What can be read of the targets themselves: a network that looks at the picture, or at points in and around the
shape, learns the same as the encoders of weights of `arena`, from the same training instances, with the same training.

No encoder of weights has to be below it, since the weights may say in order what the content says in disorder; it is
what this training reaches where nothing has been hidden.
"""

from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments import arena
from precompute.final import final_signals
from precompute.selection import modality_of, zoo_signals
from precompute.tables import write_tables
from wsr.analysis.attributes import CLASS
from wsr.data import Signals
from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.encoders.settings import TrainingSettings
from wsr.encoders.targets import Target
from wsr.modalities import Modality

READERS = {"image": "a convolutional network on pixels", "occupancy": "a PointNet on points"}


class Looking(NetworkEncoder):
    """Reads what `Targets.seen` shows of instances, flattened to vectors (n, p). shape: of one of them."""

    def __init__(self, modality: Modality, shape: tuple[int, ...], target: Target, settings: TrainingSettings):
        self.modality, self.shape, self.target, self.settings = modality, shape, target, settings

    def build(self, weights):
        return nn.Sequential(nn.Unflatten(1, self.shape), self.modality.encoder(FEATURES))

    def _checked(self, weights):
        return weights


def run(cell: Cell, context: Context) -> dict:
    """As `arena.run`, of the targets."""
    signals, column = zoo_signals(cell.data), arena.column(cell)
    training, unseen = signals.where(split="train"), final_signals(EXPERIMENT, signals)
    values = values_of(training, column)
    looks, settings = looks_of(training), replace(arena.SETTINGS, seed=cell["seed"])
    reader = Looking(signals.modality, tuple(looks.shape[1:]), Target.of(column, values), settings)
    reader.learn(looks.flatten(1), reader.target.encoded(values))
    right = reader.predict(looks_of(unseen).flatten(1)) == values_of(unseen, column).astype(str).to_numpy()
    found = {"training fits": len(training), "unseen fits": len(right), "parameters": reader.parameters}
    return found | {"accuracy": 100 * right.mean(), "right": right.tolist(), "epochs": reader.trained_epochs}


def looks_of(signals: Signals) -> torch.Tensor:
    return signals.modality.targets(signals.modality.samples(signals)).seen()


def values_of(signals: Signals, column: str) -> pd.Series:
    """The class or an attribute of each instance, by id."""
    return pd.Series({one.id: one.cls if column == CLASS else one.attributes[column] for one in signals})


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [
        {"data": cell.data, "reader": READERS[modality_of(cell.data).name], **arena.averaged(values)}
        for cell, values in by_data(found)
    ]
    settings = {name: value for name, value in asdict(arena.SETTINGS).items() if name != "seed"}
    write_tables(paths, rows, preset=context.preset, **settings)


def by_data(found: Found) -> list[tuple[Cell, list[dict]]]:
    """The results of all seeds of a data set, with one of their cells."""
    together: dict[str, tuple[Cell, list[dict]]] = {}
    for cell, value in found:
        together.setdefault(cell.data, (cell, []))[1].append(value)
    return list(together.values())


EXPERIMENT = Experiment(
    name="arena_ceilings",
    title="`reports/arena-ceilings.*`: what a network reads of the pictures and shapes themselves, trained as the "
    "encoders of weights are",
    data=("shapes10", "faces", "emoji"),
    grid={"seed": lambda: arena.SEEDS},
    signals=zoo_signals,
    settings=lambda cell, context: {"column": arena.column(cell), **asdict(arena.SETTINGS)},
    run=run,
    report=report,
    reports=("reports/arena-ceilings{tag}.json", "reports/arena-ceilings{tag}.md"),
    held=lambda report, cell, context: any(
        row["data"] == cell.data and cell["seed"] in arena.SEEDS[: int(row["seeds"])] for row in report["rows"]
    ),
    final=True,
    threads=1,
    place=9,
    size="2 kB",
    time="5 min a data set and seed (estimated)",
)
