"""The plane of quality against novelty: each generated weight is a point, compared with real fits and simple baselines.

Novelty compares the distance to the nearest training weight with the distances to the next ones (`Distances.replica`),
and the distance to the nearest line with the distances to the next lines (`Distances.blend`), and takes the smaller
one, which indicates a copy more strongly. Quality is the distance, in feature space, of what a weight decodes to from
what held-out fits decode to. Both are in units of the values of held-out fits, so that a new fit is at about (1, 1), a
copy to the left of it, and noise above it. The reference for quality are held-out fits, not training fits, so that
copying is not rewarded.
"""

from collections.abc import Callable, Mapping
from copy import copy

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from torch import Tensor

from wsr.analysis.evaluation import Decoded, Evaluation
from wsr.analysis.function_space import feature_distances, own_distances
from wsr.analysis.novelty import Audit, audit_of
from wsr.generators.baselines import baselines, plants
from wsr.metrics.quality import chamfer
from wsr.metrics.registry import needing
from wsr.zoo.zoo import Zoo

CANDIDATES = 8  # a shape's Chamfer distance is computed to so many training shapes, the nearest by their features


class Placing:
    """The axis of novelty, from a calibrated audit and held-out fits. audited: ids of the audit's training weights, by
    row; novelty_units: the medians of the held-out fits' ratios, by which those of samples are divided."""

    def __init__(self, audit: Audit, audited: list[str], heldout: Float[Tensor, "m p"]):
        self.audit, self.audited = audit, audited
        self.real = audit.distances(heldout)
        one, two = (np.median(values.numpy()) for values in (self.real.replica, self.real.blend))
        both = np.median(np.minimum(self.real.replica.numpy() / one, self.real.blend.numpy() / two))
        self.novelty_units = float(one * both), float(two * both)

    def against(self, audit: Audit, audited: list[str]) -> "Placing":
        """Returns the same axis, in the same units, for comparison with other training weights."""
        other = copy(self)
        other.audit, other.audited = audit, audited
        return other

    def placed(self, weights: Float[Tensor, "n p"]) -> pd.DataFrame:
        """Returns the columns of `Plane.rows` that need only the weights, not what they decode to."""
        verdicts, audited = self.audit.judge(weights), self.audited
        one, two = self.novelty_units
        found = pd.DataFrame({
            "novelty": [min(verdict.replica / one, verdict.blend / two) for verdict in verdicts],
            "distance": [verdict.distance for verdict in verdicts],
            "nearest": [audited[verdict.nearest] for verdict in verdicts],
            "line": [verdict.line for verdict in verdicts],
            "blend": [verdict.blend for verdict in verdicts],
            "between": [" + ".join(audited[i] for i in verdict.pair) for verdict in verdicts],
            "verdict": [verdict.word for verdict in verdicts],
        })  # fmt: skip
        for measure, (rows, away) in self.audit.neighbours(weights).items():
            found[measure], found[f"nearest by {measure}"] = away.numpy(), [audited[i] for i in rows.tolist()]
        return found


class Plane(Placing):
    """The axes of the plane, from an evaluation's real fits and a calibrated audit of the same zoo."""

    def __init__(self, evaluation: Evaluation, audit: Audit, audited: list[str]):
        self.train, self.heldout = evaluation.known["train"], evaluation.known["heldout"]
        self.ids = evaluation.ids
        zoo = evaluation.zoo
        self.known = {split: zoo.weights(self.ids[split]) for split in ("train", "heldout")}
        super().__init__(audit, audited, self.known["heldout"])
        self.quality_unit = float(np.median(own_distances(self.heldout.features, self.train.features)))

    def rows(self, weights: Float[Tensor, "n p"], decoded: Decoded) -> pd.DataFrame:
        """Returns a row for each weight with the columns `novelty` and `quality` (in units of held-out fits);
        `distance` to the training weight `nearest`; distance `line` to the line `between` two training weights, and its
        ratio `blend`; the `verdict`; for each measure of `Audit.neighbours` the distance and, as "nearest by …", the
        training weight; and in function space the distance `function` to the training fit `looks like`: of features, or
        the Chamfer distance of surfaces."""
        away = feature_distances(decoded.features, self.heldout.features, self.train.features).min(1)
        like, function = self.nearest_in_function_space(decoded)
        seen = {"quality": away / self.quality_unit, "function": function}
        return self.placed(weights).assign(**seen, **{"looks like": [self.ids["train"][i] for i in like]})

    def real_rows(self) -> dict[str, pd.DataFrame]:
        """Returns the rows of the held-out fits, and the distance of each training weight to the nearest other one."""
        heldout = self.rows(self.known["heldout"], self.heldout)
        heldout["quality"] = own_distances(self.heldout.features, self.train.features) / self.quality_unit
        return {"held out": heldout, "training": pd.DataFrame({"distance": self.audit.among().numpy()})}

    def nearest_in_function_space(self, decoded: Decoded) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Returns the row of the training fit that looks most alike, and its distance."""
        distance = feature_distances(decoded.features, self.train.features, self.train.features)
        if decoded.clouds is None:
            return distance.argmin(1), distance.min(1)
        rows, found = [], []
        for cloud, near in zip(decoded.clouds, np.argsort(distance, 1)[:, :CANDIDATES], strict=True):
            apart = [chamfer(cloud, self.train.clouds[i]) for i in near]
            best = int(np.argmin(apart))
            rows.append(near[best])
            found.append(apart[best])
        return np.array(rows), np.array(found)


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """Summarizes a generator's rows: each registered metric of placements, by its name, and `function`, the median
    distance in function space to the training fit that looks most alike."""
    found = {metric.name: metric.function(rows) for metric in needing("placements")}
    return found | {"function": float(rows["function"].median())}


def found_share(audit: Audit, planted: Float[Tensor, "n p"]) -> float:
    """Returns the share of planted copies that the audit detects."""
    return sum(verdict.word != "novel" for verdict in audit.judge(planted)) / len(planted)


def audit_report(
    zoo: Zoo, evaluation: Evaluation, generators: dict[str, Float[Tensor, "m p"]], *, count: int = 64, seed: int = 0,
    false_positive_rate: float = 0.05, decoded: Mapping[str, Decoded] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[pd.DataFrame, dict]:  # fmt: skip
    """Places weights of generators on the plane of the zoo that they were trained on, together with its held-out fits
    and `count` weights of each baseline. Returns a table with a row for each weight (`generator`, `sample`, and the
    columns of `Plane.rows`), and a dictionary about the audit: thresholds, false positives, planted copies that were
    found, and summaries. decoded: of generators whose weights have been decoded already."""
    audit, audited, tested = audit_of(zoo, false_positive_rate)
    plane, parts, training = Plane(evaluation, audit, audited), [], zoo.weights(audited)
    sets = {**generators, **dict(baselines(training, count, seed))}
    for done, (name, weights) in enumerate(sets.items()):
        seen = (decoded or {}).get(name) or evaluation.decoded(weights)
        parts.append(plane.rows(weights, seen).assign(generator=name))
        progress(done + 1, len(sets))
    real = plane.real_rows()
    parts.insert(len(generators), real["held out"].assign(generator="held out"))
    planted = plants(zoo.representation, training, seed=seed)
    about = {
        "zoo": zoo.path.name, "extractor": evaluation.extractor.name, "resolution": evaluation.resolution,
        "alarm": false_positive_rate, "tested": len(tested),
        "false alarms": sum(verdict.word != "novel" for verdict in tested),
        "thresholds": list(audit.thresholds), "novelty units": plane.novelty_units, "quality unit": plane.quality_unit,
        "planted": {name: found_share(audit, weights) for name, weights in planted.items()},
        "baseline count": count, "seed": seed, "training distances": real["training"]["distance"].round(4).tolist(),
        "summaries": {part["generator"].iloc[0]: summary(part) for part in parts},
    }  # fmt: skip
    rows = pd.concat([part.assign(sample=range(len(part))) for part in parts], ignore_index=True)
    return rows, about
