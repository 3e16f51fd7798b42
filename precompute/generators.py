"""The diffusion models that experiments train: for how long, at which learning rate, and under which names."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from precompute.experiment import Cell, Context
from wsr.fields import registry
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.registry import named

DATASETS = ("emoji/people", "shapes10")
SEEDS, SEEDED = (0, 1, 2), ("mlp", "mlora", "mlora-asym")  # three seeds of these, one of the others
# Seconds of training on one core, at most. The models of `generation` train as long as their validation loss falls, and
# end before. Trainings that experiments compare have less: those of people, who are one class, still improve after
# 150 s, when those of shapes hardly do.
LONGEST = 1800
SECONDS, SECONDS_OF = 150, {"emoji/people": 300}
THREADS = 1  # of each training: two trainings side by side use two cores better than one on both
SAMPLES, STEPS = 512, 100  # samples of each model, and steps of DDIM
SEARCHED = "shapes10"  # networks for other data sets of wsr's own were searched here
OWN_SEARCH = ("faces",)  # these, and folders, have a search of their own
BITS, BITS_OF = 6, {"emoji/people": 5}  # for each number of models and samples: assets/ may have 450 MB


def seconds_of(data: str) -> int:
    """Seconds on one core that a generator of a data set trains for at most in an experiment that compares."""
    return SECONDS_OF.get(data, SECONDS)


def bits_of(data: str) -> int:
    """Bits of each stored number."""
    return BITS_OF.get(data, BITS)


@dataclass(frozen=True)
class Generator:
    """A diffusion model of a zoo's weights, trained from a seed. encoder: False for the ablation of table 5, which has
    no layer encoder."""

    data: str
    representation: str
    seed: int = 0
    encoder: bool = True

    @classmethod
    def of(cls, cell: Cell) -> "Generator":
        return cls(cell.data, cell.representation, cell["seed"], cell["encoder"])

    @property
    def kind(self) -> str:
        """The generator's registered name."""
        return "diffusion" if self.encoder else "hyperdiffusion"

    def name(self, context: Context) -> str:
        """The name of its model and of its samples in assets/."""
        stem = named(self.kind).stem(context.zoo(self.data, self.representation))
        return stem + (f"-s{self.seed}" if self.seed else "")


def generators(datasets: tuple[str, ...] = DATASETS) -> list[Generator]:
    """All diffusion models, with mLoRA-Asym first and the first seeds before the others."""
    order = list(reversed(registry.names()))
    first = [Generator(data, kind) for kind in order for data in datasets]
    again = [Generator(one.data, one.representation, seed) for seed in SEEDS[1:] for one in first
             if one.representation in SEEDED]  # fmt: skip
    # shapes alone, as in the paper's ablation
    flat = [Generator(data, "mlora-asym", encoder=False) for data in datasets if data == "shapes10"]
    return [*first, *flat, *again]


def searched_on(data: str) -> str:
    """The data set on whose zoos the networks for generators of `data` were searched."""
    return data if ":" in data or data in OWN_SEARCH else SEARCHED


def search_report(data: str, context: Context) -> str:
    """The path of the report on the networks for generators of `data`."""
    where = context.named(searched_on(data))
    return "reports/diffusion-search" + (f"-{where}" if where != SEARCHED else "") + ".json"


def large_search_report(data: str, context: Context) -> str:
    """The path of the report on the networks for generators that learn from the large zoos of `data`."""
    return f"reports/large-search-{context.named(data)}.json"


def searched(data: str, context: Context) -> dict[str, dict]:
    """For each representation the row of its best trial; empty before the search."""
    return best_trials(context.path(search_report(data, context)))


def best_trials(path: Path) -> dict[str, dict]:
    """For each representation of a search's report the row of its best trial; empty if there is no such report."""
    best: dict[str, dict] = {}
    for row in json.loads(path.read_text())["rows"] if path.exists() else []:
        known = best.get(row["representation"])
        if known is None or row["validation loss"] < known["validation loss"]:
            best[row["representation"]] = row
    return best


def with_trial(config: DiffusionConfig, row: dict) -> DiffusionConfig:
    """Returns the settings with those of a row of the search. Earlier rows have a learning rate alone."""
    return replace(config, **{axis: row[axis] for axis in ("lr", "width", "depth", "token_size") if axis in row})
