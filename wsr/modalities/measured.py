"""What the metrics of generation need of decoded instances."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Measured:
    """What the metrics of generation need of n decoded instances. items (n, …): input of a feature extractor; clouds:
    points on surfaces; empty: number of instances without a surface, whose cloud is a single point at the centre."""

    items: Float[np.ndarray, "n ..."]
    clouds: Float[np.ndarray, "n p 3"] | None = None
    empty: int = 0
