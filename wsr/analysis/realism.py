"""Judges whether what a generated weight decodes to is like real fits, beside whether the weight is new (`novelty`).

The distance of a sample, in the feature space that the metrics of generation use, to the nearest validation fit is
compared with the distances that validation fits have to the nearest other one. No training fit takes part, so copying
is not rewarded; no test fit does, so a generator may be chosen by it. A share `rate` of really new fits lies above the
threshold.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.stats.mstats import hdquantiles

from wsr.analysis.function_space import feature_distances, own_distances
from wsr.errors import WsrError, counted
from wsr.formats.tensors import open_tensors, save_tensors

RATE = 0.05
LEAST = 40  # fits: two of them should lie above the threshold
WHAT = "a measure of realism"


@dataclass(frozen=True)
class Realism:
    """A calibrated measure. extractor: the name of the extractor of the features; resolution: that at which weights are
    decoded for it; known: features of validation fits; unit: the median of their distances to the nearest other one,
    and threshold: the largest distance, in this unit, at which a sample is like them; rate: the share of validation
    fits beyond it."""

    extractor: str
    resolution: int
    known: Float[np.ndarray, "m d"]
    unit: float
    threshold: float
    rate: float

    @classmethod
    def calibrated(
        cls, extractor: str, resolution: int, features: Float[np.ndarray, "m d"], rate: float = RATE
    ) -> "Realism":
        """Sets unit and threshold by the features of validation fits. WsrError for fewer than `LEAST`."""
        if len(features) < LEAST:
            given = counted(len(features), "fit")
            raise WsrError(f"Realism is calibrated on {LEAST} validation fits or more, not {given}.")
        apart = own_distances(np.asarray(features))
        unit = float(np.median(apart))
        if not unit > 0:
            raise WsrError("Realism cannot be calibrated on fits half of which equal another one.")
        threshold = float(hdquantiles(apart / unit, [1 - rate])[0])
        return cls(extractor, resolution, np.asarray(features, np.float32), unit, threshold, rate)

    def distances(self, features: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Returns the distances of samples to the nearest validation fit, in units of those of validation fits. These
        are the values of `Plane.rows` in the column `quality`."""
        return feature_distances(np.asarray(features), self.known).min(1) / self.unit

    def like_real(self, features: Float[np.ndarray, "n d"]) -> Bool[np.ndarray, " n"]:
        """Tells of each sample whether it is at most as far from the nearest validation fit as really new fits are."""
        return self.distances(features) <= self.threshold

    def save(self, path: str | Path) -> None:
        values = {name: repr(getattr(self, name)) for name in ("resolution", "unit", "threshold", "rate")}
        save_tensors(path, {"known": torch.from_numpy(self.known).half()}, {"extractor": self.extractor} | values)


def load_realism(path: str | Path) -> Realism:
    """Reads a measure. WsrError if the file is not one."""
    with open_tensors(path, WHAT) as file:
        known = file.tensor("known", (None, None)).float().numpy()
        try:
            values = {name: float(file.metadata[name]) for name in ("unit", "threshold", "rate")}
            extractor, resolution = file.metadata["extractor"], int(file.metadata["resolution"])
        except (KeyError, ValueError) as error:
            raise WsrError(f"{file.fault}: its description lacks a value or has a wrong one ({error}).") from None
    if not len(known) or not all(np.isfinite(value) and value > 0 for value in values.values()):
        raise WsrError(f"{file.fault}: its unit, threshold and rate should be positive, and of at least one fit.")
    return Realism(extractor, resolution, known, **values)
