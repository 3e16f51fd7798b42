"""Clusters of weights, which replace the classes if there is only one class, so that guidance has something to follow.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.generators.diffusion.model import varying_std

COMPONENTS = 32  # number of principal components
LEAST = 50  # weights per cluster on average: guidance towards a cluster of a few similar weights would copy them


@dataclass(frozen=True)
class Clusters:
    """k-means clusters of weights in their first principal components, with each parameter in units of its standard
    deviation. For emoji of people the clusters are hands, heads, couples, rowing boats."""

    mean: Float[Tensor, " p"]
    axes: Float[Tensor, "p k"]
    centres: Float[Tensor, "c k"]

    @classmethod
    def of(cls, weights: Float[Tensor, "n p"], count: int, seed: int = 0) -> "Clusters":
        """Finds at most `count` clusters, and no more than one per `LEAST` weights."""
        from sklearn.cluster import KMeans

        mean, std = weights.mean(0), varying_std(weights)
        scale = torch.where(std > 0, 1 / std, 0.0)  # constant parameters have no part in it
        axes = torch.linalg.svd((weights - mean) * scale, full_matrices=False).Vh[:COMPONENTS].T * scale[:, None]
        count = max(1, min(count, len(weights) // LEAST))
        points = ((weights - mean) @ axes).numpy().astype(np.float64)
        found = KMeans(count, n_init=10, random_state=seed).fit(points)
        return cls(mean, axes, torch.from_numpy(found.cluster_centers_))

    @property
    def names(self) -> list[str]:
        """The names of the clusters, which the model uses as classes."""
        return [f"cluster {number:02d}" for number in range(1, len(self.centres) + 1)]

    def __call__(self, weights: Float[Tensor, "n p"]) -> list[str]:
        """Returns the name of the cluster nearest to each weight."""
        points = ((weights - self.mean) @ self.axes).double()
        return [self.names[i] for i in torch.cdist(points, self.centres).argmin(1)]
