"""Judges whether a generated weight is new: compares it with the nearest training weights and with blends of two, and
gives a verdict with a stated false-positive rate.

The published audit of weight generators found replicas of training weights and interpolations between them. This one
looks for both in standardised coordinates (in units of each parameter's standard deviation over the training weights),
raw and in canonical form, so that it also finds copies that a symmetry has disguised.

A copy is near one training weight and no other. The distance alone says little: a sampled weight contains less noise
than a fit, lies nearer to the mean, and therefore nearer to every training weight than new fits do (52 of 60 sampled
shapes, and every average of 16, were nearer to one than 97.5 % of held-out fits). Therefore the distance is divided by
the mean distance to the next training weights, as in Yoon et al. (2023).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Float, Int
from scipy.stats.mstats import hdquantiles
from torch import Tensor

from wsr.analysis.neighbours import nearest
from wsr.analysis.standardized import StandardizedSpace
from wsr.data.registry import groups
from wsr.errors import WsrError, counted
from wsr.fields.representation import Representation
from wsr.zoo.recipe import FIRST
from wsr.zoo.zoo import Zoo

Word = Literal["replica", "blend", "novel"]
WORDS: tuple[str, ...] = ("replica", "blend", "novel")
BLOCK = 64  # samples that are processed at once
EXACT = 0.01  # a sample nearer than this to a training weight equals it: two fits of one target are at least 0.8 apart


@dataclass(frozen=True)
class Distances:
    """Distances of n samples in units of √p, so that 1 is about the distance of a weight from the mean.

    distance: to the nearest training weight, minimised over symmetries; nearest: its row; replica: ratio of that
    distance and the mean distance to the next training weights, 0 for a copy, near 1 if no training weight stands out.
    line: distance to the nearest point on a line between two training weights; pair: their rows; blend: ratio of that
    distance and the mean distance to the next lines, no two of which share an end.
    """

    distance: Float[Tensor, " n"]
    nearest: Int[Tensor, " n"]
    replica: Float[Tensor, " n"]
    line: Float[Tensor, " n"]
    pair: Int[Tensor, "n 2"]
    blend: Float[Tensor, " n"]

    def of(self, rows: Int[Tensor, " k"] | slice) -> "Distances":
        """Returns the distances of some samples."""
        return Distances(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True)
class Verdict:
    """The verdict on one sample. word: "replica", "blend" or "novel"; the other values as in `Distances`."""

    word: Word
    distance: float
    nearest: int
    replica: float
    line: float
    pair: tuple[int, int]
    blend: float


class Audit:
    """Judges whether weights of a representation are copies of its training weights (n, p). `calibrate` sets the
    thresholds. The computation runs on the device of the training weights; samples may be on any device, and verdicts
    are on the CPU. WsrError for fewer than three training weights."""

    def __init__(self, model: Representation, training: Float[Tensor, "n p"]):
        if len(training) < 3:
            raise WsrError(f"An audit needs three training weights or more, not {len(training)}.")
        self.model, self.training = model.to(training.device), training
        self.spaces = [StandardizedSpace(self.model, training, False)]
        if model.kind.allowed:
            self.spaces.append(StandardizedSpace(self.model, training, True))
        self.thresholds: tuple[float, float] | None = None
        self.false_positive_rate = 0.0

    def with_training(self, training: Float[Tensor, "n p"]) -> "Audit":
        """Returns an audit by other training weights, with the same thresholds."""
        other = Audit(self.model, training)
        other.thresholds, other.false_positive_rate = self.thresholds, self.false_positive_rate
        return other

    def distances(self, samples: Float[Tensor, "m p"]) -> Distances:
        """Measures distances in the space, raw or canonical, in which a copy stands out more. WsrError for no samples,
        and for weights that are not finite, which would be far from everything and so novel."""
        if not len(samples) or not bool(samples.isfinite().all()):
            wrong = (~samples.isfinite().all(1)).nonzero().flatten().tolist()
            which = f"those in row {wrong[0]} hold NaN or infinite numbers" if wrong else "there are none"
            raise WsrError(f"An audit judges weights that are finite, one or more, and {which}.")
        blocks = samples.to(self.training.device).split(BLOCK)
        one = _standing_out([_joined(space.nearest(rows) for rows in blocks) for space in self.spaces])
        two = _standing_out([_joined(space.between(rows) for rows in blocks) for space in self.spaces])
        return Distances(*(part.cpu() for part in (*one, *two)))

    def among(self) -> Float[Tensor, " n"]:
        """Returns the distance of each training weight to the nearest other one, measured like `distances`."""
        blocks = torch.arange(len(self.training)).split(BLOCK)
        found = [_joined(space.nearest(self.training[rows], rows) for rows in blocks) for space in self.spaces]
        return _standing_out(found)[0].cpu()

    def neighbours(self, samples: Float[Tensor, "m p"]) -> dict[str, tuple[Int[Tensor, " m"], Float[Tensor, " m"]]]:
        """Returns rows and distances of the nearest training weights by each measure: "raw L2" (in units of √p), "raw
        cosine" (1 − cosine), and the same in canonical form if the representation has one."""
        found = {}
        for space in self.spaces:
            x = space.coordinates(samples.to(self.training.device))
            for metric, unit in (("l2", x.shape[1] ** 0.5), ("cosine", 1.0)):
                rows, away = nearest(x, space.known, 1, metric)
                title = f"{'canonical' if space.canonically else 'raw'} {metric.replace('l2', 'L2')}"
                found[title] = rows[:, 0].cpu(), away[:, 0].cpu() / unit
        return found

    def calibrate(self, heldout: Float[Tensor, "m p"], false_positive_rate: float = 0.05) -> None:
        """Sets the thresholds such that a share `false_positive_rate` of these held-out fits would be called copies,
        half of them replicas and half of them blends. No training weight was fitted to their targets, so each such call
        is a false positive. WsrError if fewer than two false positives are expected."""
        _enough(len(heldout), false_positive_rate)
        self._calibrate(self.distances(heldout), false_positive_rate)

    def _calibrate(self, found: Distances, rate: float) -> None:
        replica = _quantile(found.replica, rate / 2)
        rest = found.blend[found.replica >= replica]
        self.thresholds, self.false_positive_rate = (replica, _quantile(rest, rate / (2 - rate))), rate

    def judge(self, samples: Float[Tensor, "m p"]) -> list[Verdict]:
        """Returns the verdict on each sample. WsrError before `calibrate`."""
        if self.thresholds is None:
            raise WsrError("The audit has no thresholds yet: calibrate it on held-out fits first.")
        return self._verdicts(self.distances(samples))

    def _verdicts(self, found: Distances) -> list[Verdict]:
        parts = (found.distance, found.nearest, found.replica, found.line, found.pair, found.blend)
        rows = zip(*(part.tolist() for part in parts), strict=True)
        return [
            Verdict(self._word(distance, replica, line, blend), distance, nearest, replica, line, tuple(pair), blend)
            for distance, nearest, replica, line, pair, blend in rows
        ]

    def _word(self, distance: float, replica: float, line: float, blend: float) -> Word:
        """Decides on a verdict. A copy near a training weight that is more than twice as near to a line between two is
        a blend."""
        below = replica < self.thresholds[0], blend < self.thresholds[1]
        if not any(below):
            return "novel"
        return "replica" if below[0] and (line > distance / 2 or distance < EXACT) else "blend"


def _joined(blocks: Iterable[tuple[Tensor, ...]]) -> list[Tensor]:
    return [torch.cat(parts) for parts in zip(*blocks, strict=True)]


def _standing_out(spaces: list[list[Tensor]]) -> list[Tensor]:
    """Takes (distance, rows, ratio) in each space, and returns those of the space with the lowest ratio, for each
    sample."""
    chosen = spaces[0]
    for other in spaces[1:]:
        more = other[2] < chosen[2]
        chosen = [
            torch.where(more[:, None] if mine.ndim == 2 else more, its, mine)
            for mine, its in zip(chosen, other, strict=True)
        ]
    return chosen


def _enough(count: int, rate: float, of: str = "") -> None:
    if not 0 < rate < 1 or count * rate < 2:
        raise WsrError(
            f"A false-positive rate of {rate!r} cannot be set by {counted(count, 'held-out fit')}{of}: two of them at "
            "least must fall below the thresholds."
        )


def _quantile(values: Float[Tensor, " n"], share: float) -> float:
    """Returns Harrell and Davis's estimate of a quantile. In repeated draws of 100 from 200 held-out fits, at a stated
    rate of 5 %, thresholds from this estimate call 4.2 to 5.1 % of the remaining fits copies, those from sample
    quantiles 5.8 to 6.4 %, and those from a log-normal tail 8 to 11 %."""
    return float(hdquantiles(values.double().cpu().numpy(), [share])[0])


def audited_ids(zoo: Zoo) -> list[str]:
    """Returns the ids of the training weights that a generator may have copied. If all fits started from the first one
    (HyperDiffusion's initialization), that one is left out: it is the nearest to every weight, including held-out fits,
    and all of 256 sampled people would be its replicas."""
    ids = zoo.good("train")["id"].tolist()
    return [name for name in ids if name != zoo.ids[0]] if zoo.meta["init"] == FIRST else ids


def audit_of(
    zoo: Zoo, false_positive_rate: float = 0.05, device: str = "cpu"
) -> tuple[Audit, list[str], list[Verdict]]:  # fmt: skip
    """Prepares the audit of generators that were trained on this zoo. Returns the audit, calibrated on one half of the
    held-out fits; the ids of its training weights, by row; and verdicts on all held-out fits, of which only the stated
    rate should be called copies. Each half is judged with the thresholds of the other half; the half that calibrated
    the audit comes last (`halves`). WsrError if there are too few held-out fits (`Audit.calibrate`)."""
    training, (heldout, rows) = audited_ids(zoo), halves(zoo)
    audit = Audit(zoo.representation, zoo.weights(training).to(device))
    _enough(min(map(len, rows)), false_positive_rate, of=f" (half of the zoo's {len(heldout)})")
    found = audit.distances(zoo.weights(heldout))
    one, other = found.of(rows[0]), found.of(rows[1])
    audit._calibrate(other, false_positive_rate)
    last = audit._verdicts(one)
    audit._calibrate(one, false_positive_rate)
    return audit, training, audit._verdicts(other) + last


def halves(zoo: Zoo) -> tuple[list[str], list[Int[Tensor, " k"]]]:
    """Returns the ids of a zoo's good held-out fits, and the rows of two halves of them. Each half contains every other
    fit of each class, or every other group where the data set has groups: the same emoji in another skin tone would
    make a test by the other half too easy. Groups are of unlike size, and so may the halves be."""
    heldout = zoo.good("heldout").sort_values("class", kind="stable")["id"].tolist()
    half = torch.from_numpy(pd.factorize(pd.Series(groups(zoo.meta["dataset"], heldout), dtype=object))[0] % 2)
    return heldout, [(half == side).nonzero()[:, 0] for side in (0, 1)]
