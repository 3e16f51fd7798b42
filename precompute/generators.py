"""The diffusion models that experiments train: for how long, at which learning rate, and under which names."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from precompute.experiment import Cell, Context
from precompute.selection import has_surfaces
from wsr.fields import registry
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.registry import named

DATASETS = ("faces", "shapes10")
SEEDS, SEEDED = (0, 1, 2), ("mlp", "mlora", "mlora-asym")  # three seeds of these, one of the others
# Longest training, in seconds on one core. The models of `generation` train as long as their validation loss falls, and
# end earlier. Trainings that are only compared with each other have less time (`seconds_of`): after 150 s models of
# people, who are one class, still improved, but models of shapes hardly do.
LONGEST = 1800
SECONDS, SECONDS_OF = 150, {"emoji/people": 300}
THREADS = 1  # threads of a training: two trainings side by side use two cores better than one that uses both
SAMPLES, STEPS = 512, 100  # samples of each model, and steps of DDIM
SEARCHED = "shapes10"  # the search on this data set serves all others, except those below and folders
OWN_SEARCH = ("faces",)  # data sets with a search of their own, as folders have
BITS, BITS_OF = 6, {"emoji/people": 5}  # bits of each stored number, so that assets/ stays below 450 MB


def seconds_of(data: str) -> int:
    """The longest training of a generator, in seconds on one core, in experiments that compare settings."""
    return SECONDS_OF.get(data, SECONDS)


def bits_of(data: str) -> int:
    """Bits of each stored number of models and samples of a data set."""
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
    # the ablation without the layer encoder, for shapes alone as in the paper
    flat = [Generator(data, "mlora-asym", encoder=False) for data in datasets if has_surfaces(data)]
    return [*first, *flat, *again]


def searched_on(data: str) -> str:
    """The data set whose zoos were used in the search for the networks of generators of `data`."""
    return data if ":" in data or data in OWN_SEARCH else SEARCHED


def search_report(data: str, context: Context) -> str:
    """The path of the report of the search for the networks of generators of `data`."""
    where = context.named(searched_on(data))
    return "reports/diffusion-search" + (f"-{where}" if where != SEARCHED else "") + ".json"


def unconditional_search_report(data: str, context: Context) -> str:
    """The path of the report of the search for the networks of generators of `data` that know no classes."""
    return f"reports/unconditional-search-{context.named(data)}.json"


def large_search_report(data: str, context: Context) -> str:
    """The path of the report on the networks for generators that learn from the large zoos of `data`."""
    return f"reports/large-search-{context.named(data)}.json"


def searched(data: str, context: Context) -> dict[str, dict]:
    """The row of the best trial of each representation; empty before the search."""
    return best_trials(context.path(search_report(data, context)))


def best_trials(path: Path, encoder: bool | None = None) -> dict[str, dict]:
    """The row of the best trial of each representation in a search's report; empty if there is no such report. encoder:
    only of trials with the layer encoder, or only of those without it."""
    best: dict[str, dict] = {}
    for row in json.loads(path.read_text())["rows"] if path.exists() else []:
        if encoder is not None and row["encoder"] != encoder:
            continue
        known = best.get(row["representation"])
        if known is None or row["validation loss"] < known["validation loss"]:
            best[row["representation"]] = row
    return best


def with_trial(config: DiffusionConfig, row: dict) -> DiffusionConfig:
    """Returns the settings with those of a row of the search. Older rows have only a learning rate."""
    axes = ("lr", "width", "depth", "token_size", "decay_steps", "encoder")
    return replace(config, **{axis: row[axis] for axis in axes if axis in row})
