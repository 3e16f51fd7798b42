"""Quality against novelty: a point for each weight that a generator made, beside real fits and simple baselines.

Novelty is how far a weight is from the training weight nearest to it, of how far it is from the next ones
(`Distances.replica`), or from the nearest line between two, of how far from the next lines (`Distances.blend`),
whichever says more of a copy; quality the distance of what it decodes to from what held-out fits decode to; all in
units of what held-out fits have themselves: a new fit is at about (1, 1), a copy left of it, noise above it. Held-out
fits, not training ones, are the reference of quality, so that copying does not win it.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.analysis.evaluation import Decoded, Evaluation
from wsr.analysis.novelty import Audit, audit_of
from wsr.generators.baselines import baselines, plants
from wsr.metrics.quality import chamfer
from wsr.metrics.registry import needing
from wsr.zoo.zoo import Zoo

CANDIDATES = 8  # training shapes, the nearest by their features, to which a shape's Chamfer distance is computed


class Plane:
    """The axes, from an evaluation's real fits and an audit of the same zoo, which has been calibrated. audited: ids of
    the training weights that the audit knows, by row."""

    def __init__(self, evaluation: Evaluation, audit: Audit, audited: list[str]):
        self.audited = audited
        self.audit, self.train, self.heldout = audit, evaluation.known["train"], evaluation.known["heldout"]
        self.ids = evaluation.ids
        zoo = evaluation.zoo
        self.known = {split: zoo.weights(ids) for split, ids in self.ids.items()}
        self.real = audit.distances(self.known["heldout"])
        one, two = (np.median(values.numpy()) for values in (self.real.replica, self.real.blend))
        both = np.median(np.minimum(self.real.replica.numpy() / one, self.real.blend.numpy() / two))
        self.novelty_units = float(one * both), float(two * both)
        others = feature_distances(self.heldout.features, self.heldout.features, self.train.features)
        np.fill_diagonal(others, np.inf)
        self.quality_unit = float(np.median(others.min(1)))

    def rows(self, weights: Float[Tensor, "n p"], decoded: Decoded) -> pd.DataFrame:
        """Of each weight: `novelty` and `quality` (both in units of held-out fits), `distance` to the training weight
        `nearest`, `line` to the line `between` two and `blend`, that of the next lines, the `verdict`, the distances by
        each measure of `Audit.neighbours` and, as "nearest by …", whose they are, and in function space `function`, the
        distance to the training fit `looks like`: of features, or the Chamfer distance of surfaces."""
        away = feature_distances(decoded.features, self.heldout.features, self.train.features).min(1)
        like, function = self.nearest_in_function_space(decoded)
        seen = {"quality": away / self.quality_unit, "function": function}
        return self.placed(weights).assign(**seen, **{"looks like": [self.ids["train"][i] for i in like]})

    def placed(self, weights: Float[Tensor, "n p"]) -> pd.DataFrame:
        """Those columns of `rows` that the weights alone say."""
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

    def real_rows(self) -> dict[str, pd.DataFrame]:
        """The held-out fits on the plane; and of the training weights the distance to the nearest other one."""
        heldout = self.rows(self.known["heldout"], self.heldout)
        others = feature_distances(self.heldout.features, self.heldout.features, self.train.features)
        np.fill_diagonal(others, np.inf)  # a fit is not its own reference
        heldout["quality"] = others.min(1) / self.quality_unit
        return {"held out": heldout, "training": pd.DataFrame({"distance": self.audit.among().numpy()})}

    def nearest_in_function_space(self, decoded: Decoded) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """Rows of the training fits that look most alike, and how far they are."""
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


def feature_distances(
    x: Float[np.ndarray, "n d"], y: Float[np.ndarray, "m d"], scale: Float[np.ndarray, "k d"]
) -> Float[np.ndarray, "n m"]:
    """Root mean squared differences of features, in units of the standard deviation of all features of `scale`."""
    found = torch.cdist(torch.from_numpy(x).double(), torch.from_numpy(y).double()).numpy()
    return found / (float(scale.std()) or 1.0) / x.shape[1] ** 0.5


def summary(rows: pd.DataFrame) -> dict[str, float]:
    """A generator's place: every metric of placements by its name, and `function`, the median distance in function
    space to the training fit that looks most like it."""
    found = {metric.name: metric.function(rows) for metric in needing("placements")}
    return found | {"function": float(rows["function"].median())}


def found_share(audit: Audit, planted: Float[Tensor, "n p"]) -> float:
    """How many of these copies are called one."""
    return sum(verdict.word != "novel" for verdict in audit.judge(planted)) / len(planted)


def audit_report(
    zoo: Zoo, evaluation: Evaluation, generators: dict[str, Float[Tensor, "m p"]], *, count: int = 64, seed: int = 0,
    false_positive_rate: float = 0.05, decoded: Mapping[str, Decoded] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[pd.DataFrame, dict]:  # fmt: skip
    """Where weights of generators stand on the plane of the zoo that they have learnt from, beside its held-out fits
    and `count` weights of each baseline: a row each (`generator`, `sample`, and the columns of `Plane.rows`), and what
    there is to know about it. decoded: of generators whose weights have been decoded already."""
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
