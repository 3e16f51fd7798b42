"""What an encoder of weights learns to predict: a category, such as the class, or a number."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

from wsr.analysis.attributes import CLASS, attributes_of
from wsr.errors import WsrError, counted, unknown_name
from wsr.zoo.zoo import Zoo


def column_of(zoo: Zoo, split: str, column: str) -> pd.Series:
    """Returns the class or an attribute of the good fits of a split, by id; fits of instances that have no value are
    left out. WsrError for a name under which nothing is known."""
    fits = zoo.good(split)
    if column == CLASS:
        found = fits.set_index("id")[CLASS]
        return found[found != ""]
    attributes = attributes_of(zoo, fits["id"].tolist())
    if column not in attributes:
        raise unknown_name(f"attribute of the instances of {zoo.path.name}", column, [CLASS, *attributes])
    return attributes[column].dropna()


@dataclass(frozen=True)
class Target:
    """categories: the values of a category; empty for a number, which is predicted in units of `std` from `mean`."""

    column: str
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    std: float = 1.0

    @classmethod
    def of(cls, column: str, values: pd.Series) -> "Target":
        """Makes the target from the values of the training fits. WsrError if they do not differ."""
        if values.nunique() < 2:
            raise WsrError(
                f"There is nothing to learn about {column!r}: an encoder needs training fits with two different values "
                f"or more, and here are {values.nunique()} in {counted(len(values), 'fit')}."
            )
        if pd.api.types.is_numeric_dtype(values):
            return cls(column, (), float(values.mean()), float(values.std(ddof=0)))
        return cls(column, tuple(sorted(values.astype(str).unique())))

    @property
    def outputs(self) -> int:
        """How many scores an instance gets: one for each category, or one number."""
        return len(self.categories) or 1

    @property
    def measure(self) -> str:
        """What `score` returns."""
        return "accuracy" if self.categories else "R²"

    def encoded(self, values: pd.Series) -> Shaped[Tensor, "n"]:
        """Returns the numbers of the categories, or standardised numbers."""
        if not self.categories:
            return torch.from_numpy((values.to_numpy(np.float64) - self.mean) / self.std).float()
        return torch.tensor([self.categories.index(str(value)) for value in values])

    def decoded(self, scores: Float[Tensor, "n k"]) -> Shaped[np.ndarray, "n"]:
        """Returns the categories with the highest scores, or the numbers."""
        if not self.categories:
            return scores[:, 0].double().numpy() * self.std + self.mean
        return np.array(self.categories)[scores.argmax(1).numpy()]

    def loss(self, scores: Float[Tensor, "n k"], wanted: Shaped[Tensor, "n"]) -> Float[Tensor, ""]:
        """Returns the cross-entropy, or the mean squared error in units of the variance."""
        return F.cross_entropy(scores, wanted) if self.categories else F.mse_loss(scores[:, 0], wanted)

    def score(self, predicted: Shaped[np.ndarray, "n"], values: pd.Series) -> float:
        """Returns the share of right categories, or R² of numbers."""
        if self.categories:
            return float((predicted == values.astype(str).to_numpy()).mean())
        true = values.to_numpy(np.float64)
        return float(1 - np.square(predicted - true).sum() / np.square(true - true.mean()).sum())
