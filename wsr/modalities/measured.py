"""What the metrics of generation need of decoded instances."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Measured:
    """What metrics of generation need of n decoded instances. items (n, …): input of a feature extractor; clouds:
    points on surfaces; empty: number without a surface, whose cloud is the centre; pieces: pieces of each surface."""

    items: Float[np.ndarray, "n ..."]
    clouds: Float[np.ndarray, "n p 3"] | None = None
    empty: int = 0
    pieces: Int[np.ndarray, " n"] | None = None
