"""A gauge for edited weights: are they still among the data, as far as unseen fits are, or have they left it?

Weights that no fit could have decode to things that no data set holds. What fits of unseen targets look like is known:
they lie at a certain distance from the nearest training weight. An edited weight that is farther away than nearly all
of them has left the data. Distances are those of audits (`StandardizedSpace`), in raw coordinates.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.standardized import StandardizedSpace
from wsr.errors import WsrError, counted
from wsr.zoo.zoo import Zoo

MOST = 1000  # training weights that are compared with: those of a large zoo take half a gigabyte
UNSEEN = 200  # fits of unseen targets
LEAST = 3
EDGE, OUTSIDE = 0.5, 0.95  # shares of the unseen fits that are nearer: from where it is at the edge, and outside


@dataclass(frozen=True)
class Reading:
    """Where a weight lies. distance: to the nearest training weight, in units of √p, so that 1 is about the distance of
    a weight from the mean; nearer: share of the unseen fits that are nearer to the data."""

    distance: float
    nearer: float

    @property
    def outside(self) -> bool:
        """Whether it has left the data: nearly all unseen fits are nearer."""
        return self.nearer > OUTSIDE

    @property
    def word(self) -> str:
        if self.outside:
            return "outside the data"
        return "at the edge of the data" if self.nearer > EDGE else "in the data"


class Gauge:
    """Compares weights with training weights (n, p), as fits of unseen targets (m, p) compare. WsrError for fewer than
    three of either."""

    def __init__(self, training: Float[Tensor, "n p"], unseen: Float[Tensor, "m p"]):
        if min(len(training), len(unseen)) < LEAST:
            raise WsrError(
                f"The gauge needs {LEAST} training fits and {LEAST} fits of unseen targets or more; here are "
                f"{len(training)} and {len(unseen)}."
            )
        self._space = StandardizedSpace(None, training, canonically=False)
        self._unseen = self._distances(unseen).sort().values  # (m,)

    @classmethod
    def of(cls, zoo: Zoo) -> "Gauge":
        """Makes the gauge of a zoo, from its good fits of the training and the validation split. WsrError if there are
        too few."""
        wanted = (("train", MOST), ("validation", UNSEEN))
        parts = [_spread(zoo.good(split)["id"].tolist(), most) for split, most in wanted]
        if min(map(len, parts)) < LEAST:
            raise WsrError(
                f"The zoo {zoo.path.name} has {counted(len(parts[0]), 'good training fit')} and {len(parts[1])} of the "
                f"validation split: for the gauge there should be {LEAST} or more of each."
            )
        return cls(*(zoo.weights(ids) for ids in parts))

    def read(self, weights: Float[Tensor, "k p"]) -> list[Reading]:
        """Reads the gauge for each weight."""
        found = self._distances(weights)
        nearer = torch.searchsorted(self._unseen, found) / len(self._unseen)
        return [Reading(*pair) for pair in zip(found.tolist(), nearer.tolist(), strict=True)]

    def _distances(self, weights: Float[Tensor, "k p"]) -> Float[Tensor, " k"]:
        return self._space.nearest(weights)[0].contiguous()


def _spread(ids: list[str], most: int) -> list[str]:
    """Returns at most so many ids, evenly spread: zoos are in the order of their classes."""
    return ids if len(ids) <= most else [ids[i] for i in np.linspace(0, len(ids) - 1, most).round().astype(int)]
