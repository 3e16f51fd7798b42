"""Clusters of weights that take the place of classes where there is only one, so that guidance has several."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.generators.diffusion.model import MIN_STD

COMPONENTS = 32  # principal components in which weights are grouped
LEAST = 50  # weights a cluster has on average: a cluster of a few alike ones would say which of them to copy


@dataclass(frozen=True)
class Clusters:
    """Clusters of weights by k-means in their first principal components, each parameter in units of its standard
    deviation. Of people they are hands, heads, couples, rowing boats."""

    mean: Float[Tensor, " p"]
    axes: Float[Tensor, "p k"]
    centres: Float[Tensor, "c k"]

    @classmethod
    def of(cls, weights: Float[Tensor, "n p"], count: int, seed: int = 0) -> "Clusters":
        """At most `count` clusters, and no more than one for each `LEAST` weights."""
        from sklearn.cluster import KMeans

        mean, std = weights.mean(0), weights.std(0).clamp_min(MIN_STD)
        axes = torch.linalg.svd((weights - mean) / std, full_matrices=False).Vh[:COMPONENTS].T / std[:, None]
        count = max(1, min(count, len(weights) // LEAST))
        points = ((weights - mean) @ axes).numpy().astype(np.float64)
        found = KMeans(count, n_init=10, random_state=seed).fit(points)
        return cls(mean, axes, torch.from_numpy(found.cluster_centers_))

    @property
    def names(self) -> list[str]:
        return [f"cluster {number:02d}" for number in range(1, len(self.centres) + 1)]

    def __call__(self, weights: Float[Tensor, "n p"]) -> list[str]:
        """The name of the nearest cluster of each."""
        points = ((weights - self.mean) @ self.axes).double()
        return [self.names[i] for i in torch.cdist(points, self.centres).argmin(1)]
