"""Which generators there are, how long each trains, at which rate, and what it is called."""

import json
from dataclasses import dataclass

from precompute.experiment import Cell, Context
from wsr.fields import registry
from wsr.generators.registry import named

DATASETS = ("emoji/people", "shapes10")
SEEDS, SEEDED = (0, 1, 2), ("mlp", "mlora", "mlora-asym")  # several seeds of these, of the others one
# Of training on one core, at most; most end before, by the loss of unseen weights. People, of whom there is one class,
# still gain after 150 s what shapes have gained by then.
SECONDS, SECONDS_OF = 150, {"emoji/people": 300}
THREADS = 1  # of each training: two of them side by side make more of two cores than one on both
SAMPLES, STEPS = 512, 100  # of each model, by DDIM with so many steps
SEARCHED = "shapes10"  # where the learning rates of data sets that come with wsr were searched; a folder has its own
BITS, BITS_OF = 6, {"emoji/people": 5}  # of a number of a model's matrices, and of a sample: assets/ has 450 MB


def seconds_of(data: str) -> int:
    """Seconds of one core that a generator of a data set trains for, at most."""
    return SECONDS_OF.get(data, SECONDS)


def bits_of(data: str) -> int:
    """Bits of a stored number."""
    return BITS_OF.get(data, BITS)


@dataclass(frozen=True)
class Generator:
    """A diffusion model: of a zoo's weights, from a seed; without the layer encoder, the ablation of table 5."""

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
        """What its model and its samples are called in assets/."""
        stem = named(self.kind).stem(context.zoo(self.data, self.representation))
        return stem + (f"-s{self.seed}" if self.seed else "")


def generators(datasets: tuple[str, ...] = DATASETS) -> list[Generator]:
    """All of them, mLoRA-Asym first and the first seeds before the others."""
    order = list(reversed(registry.names()))
    first = [Generator(data, kind) for kind in order for data in datasets]
    again = [Generator(one.data, one.representation, seed) for seed in SEEDS[1:] for one in first
             if one.representation in SEEDED]  # fmt: skip
    # the paper's ablation is of shapes as well
    flat = [Generator(data, "mlora-asym", encoder=False) for data in datasets if data == "shapes10"]
    return [*first, *flat, *again]


def searched_on(data: str) -> str:
    """The data set whose zoos were searched for the rates of generators of `data`."""
    return data if ":" in data else SEARCHED


def search_report(data: str, context: Context) -> str:
    """The asset that says which rates were found for generators of `data`."""
    where = context.named(searched_on(data))
    return "reports/diffusion-search" + (f"-{where}" if where != SEARCHED else "") + ".json"


def searched(data: str, context: Context) -> dict[str, dict]:
    """Of each representation the row of the best rate; empty before the search."""
    path, best = context.path(search_report(data, context)), {}
    for row in json.loads(path.read_text())["rows"] if path.exists() else []:
        known = best.get(row["representation"])
        if known is None or row["validation loss"] < known["validation loss"]:
            best[row["representation"]] = row
    return best
