"""What experiments measure of how learnable the weights of a zoo are, except what a generator makes of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from precompute.experiment import Cell, Context
from precompute.fits import INIT_SEED, SIGMA, fill
from precompute.selection import zoo_signals
from wsr.analysis.learnability import noise_share, read_attributes, span_share
from wsr.data import Signals
from wsr.fields.representation import Representation
from wsr.fitting.settings import FitSettings
from wsr.paths import cache_dir
from wsr.zoo import Zoo
from wsr.zoo.build import fit_settings


def learnt_and_unseen(data: str, training: int, unseen: int) -> Signals:
    """Returns the first training and validation signals of a data set's zoos, so many of each."""
    chosen = zoo_signals(data)
    parts = chosen.where(split="train")[:training], chosen.where(split="validation")[:unseen]
    return chosen.select([name for part in parts for name in part.ids])


def fitted_in_cache(
    name: str, model: Representation, signals: Signals, asked: FitSettings, number: int, cell: Cell, context: Context
) -> Zoo:  # fmt: skip
    """Fits signals into a zoo in the cache, which is continued after a kill. number: 0 for the first fits, 1 for the
    second fits, which have an independent start, and other points unless all fits share them."""
    shared = asked.config(model.name, model.modality).shared_points
    zoo = Zoo.create(
        cache_dir() / "training" / f"{name}-{number}", model, dataset=cell.data, preset=asked.preset, init="centered",
        sigma=SIGMA, init_seed=INIT_SEED + number, seed=0 if shared else number, **fit_settings(model, asked),
    )  # fmt: skip
    fill(zoo, signals, f"{cell} ({number + 1} of 2)", context)
    return zoo


def spread(name: str, values: Float[np.ndarray, "n"]) -> dict[str, float]:
    """The mean and the standard error over the targets."""
    return {name: float(np.mean(values)), f"{name} se": float(np.std(values, ddof=1) / len(values) ** 0.5)}


def fits_of(zoo: Zoo, again: Zoo) -> tuple[list[str], list[str], list[str]]:
    """Returns the ids of the zoo's good fits of training and of validation signals, and of those of the latter that
    `again` holds a second good fit of."""
    unseen, training = (zoo.good(split)["id"].tolist() for split in ("validation", "train"))
    return training, unseen, [name for name in again.good()["id"] if name in set(unseen)]


def measured(zoo: Zoo, again: Zoo, counts: Sequence[int]) -> tuple[dict[str, float], pd.DataFrame]:
    """Returns the quality of validation fits, their noise share (`again` holds second fits of some of them), the share
    of them in the span of so many training fits, and the means of what is read of their attributes; and the table of
    the latter."""
    training, unseen, twice = fits_of(zoo, again)
    row = spread("quality", zoo.index.set_index("id").loc[unseen, "quality"].to_numpy())
    noise = noise_share(zoo.weights(twice), again.weights(twice), zoo.representation.initial_mean("centered"))
    row |= spread("noise share", noise.share) | {"floor": noise.floor} | spread("own noise share", noise.own)
    spans = span_share(zoo.weights(unseen), zoo.weights(training), [n for n in counts if n <= len(training)])
    row |= {f"span of {count}": share for count, share in spans.items()}
    near, far, attributes = zoo.weights(training).numpy(), zoo.weights(unseen).numpy(), zoo.attributes
    read = read_attributes(near, attributes.loc[training], far, attributes.loc[unseen])
    kinds = {"R²": "number", "accuracy": "category"}
    row |= {name: read.loc[read["kind"] == kind, "score"].mean() for name, kind in kinds.items()}
    return row | {"chance": read.loc[read["kind"] == "category", "chance"].mean()}, read
