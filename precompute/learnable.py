"""What experiments measure of how learnable the weights of a zoo are, except what a generator makes of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from wsr.analysis.learnability import noise_share, read_attributes, span_share
from wsr.zoo import Zoo


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
