"""Which value of a category weights have, read off the weights themselves by ridge regression.

A move from brown hair to red hair is another one than from blond hair to red hair, so a direction must know where it
begins. It does not ask what the weights decode to: that is what moves are judged by.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.attributes import Columns
from wsr.zoo.zoo import Zoo

MOST = 2000  # training fits that are learnt from
PENALTY = 0.1  # as a share of the mean squared length of a standardised training weight


class OwnValues:
    """Reads columns (n, k), such as those of `Columns`, off weights. Made from training weights (m, p) and their
    columns (m, k), which are centred. Parameters are standardised."""

    def __init__(self, weights: Float[Tensor, "m p"], columns: Float[Tensor, "m k"]):
        self._mean, self._std = weights.mean(0), weights.std(0).clamp_min(1e-6)
        standard = (weights - self._mean) / self._std
        products = (standard @ standard.T).double()  # (m, m): there are fewer fits than parameters
        products.diagonal().add_(PENALTY * products.diagonal().mean())
        self._coefficients = standard.T @ torch.linalg.solve(products, columns.double()).float()  # (p, k)

    @classmethod
    def of(cls, zoo: Zoo, ids: list[str], columns: Columns) -> "OwnValues":
        """Learns from at most MOST fits of a zoo. columns: of the fits with these ids."""
        some = range(0, len(ids), -(-len(ids) // MOST))
        return cls(zoo.weights([ids[i] for i in some]), torch.from_numpy(columns.values[some]).float())

    def read(self, weights: Float[Tensor, "*n p"]) -> Float[Tensor, "*n k"]:
        return ((weights - self._mean) / self._std) @ self._coefficients
