"""Measures how good a set of generated weights is, by metrics of features and of shapes, compared with what copying
achieves.

A generator can win against the training weights by copying them. Therefore every number is compared with that of the
replica baseline (training weights with a little noise) and with the floor (held-out fits, which are not copies).
References are decoded fits rather than targets, so that a generator is not blamed for the error of fitting.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.generators.baselines import copied_rows, noisy
from wsr.metrics.features import Extractor
from wsr.metrics.registry import OF_SETS, Metric, measured, needing
from wsr.metrics.sets import pairwise_chamfer
from wsr.metrics.surfaces import POINTS
from wsr.render.decode import decode
from wsr.zoo.zoo import Zoo

COUNT = 200  # weights on either side of a comparison
REPLICA_NOISE = 0.1  # in units of each parameter's standard deviation
SETS = ("samples", "replica", "floor")
BATCH = 16
CLOUD_POOL = 256  # 65,536 pairs of clouds take a minute on two cores


@dataclass
class Decoded:
    """What n weights decode to. features (n, d): from an extractor; clouds: points on the surfaces of shapes; empty:
    number of shapes without a surface, whose cloud is a single point at the centre; weights: the weights themselves, if
    available; pieces: number of separate pieces of each shape; classes: the class of each instance, "" where none is
    known."""

    features: Float[np.ndarray, "n d"]
    clouds: Float[np.ndarray, "n p 3"] | None
    empty: int = 0
    weights: Float[Tensor, "n q"] | None = None
    pieces: Int[np.ndarray, " n"] | None = None
    classes: Shaped[np.ndarray, " n"] | None = None

    def __len__(self) -> int:
        return len(self.features)

    def some(self, count: int) -> "Decoded":
        """Returns at most `count` instances, as `some_rows` chooses them."""
        rows = some_rows([""] * len(self) if self.classes is None else self.classes, count)
        parts = {name: getattr(self, name) for name in ("features", "clouds", "weights", "pieces", "classes")}
        return replace(self, **{name: part[rows] for name, part in parts.items() if part is not None})


def some_rows(classes: Sequence[str] | Shaped[np.ndarray, " n"], count: int) -> Int[np.ndarray, " k"]:
    """Returns at most `count` rows: the first ones, or evenly spread ones where one class follows the other, as in
    zoos of folders, whose first instances are of few classes."""
    classes = np.asarray(classes, dtype=object)
    if count >= len(classes):
        return np.arange(len(classes))
    runs, different = 1 + int((classes[1:] != classes[:-1]).sum()), len(set(classes.tolist()))
    if 1 < different == runs:
        return np.linspace(0, len(classes) - 1, count).round().astype(int)
    return np.arange(count)


def decoded(
    model: Representation, weights: Float[Tensor, "n p"], extractor: Extractor, resolution: int,
    progress: Callable[[int, int], None] = lambda done, total: None, classes: Sequence[str] | None = None,
) -> Decoded:  # fmt: skip
    """Decodes weights and extracts features. classes: the class of each; None where they have none."""
    features, clouds, pieces, empty = [], [], [], 0
    for start in range(0, len(weights), BATCH):
        found = model.modality.measured(decode(model, weights[start : start + BATCH], resolution), start)
        features.append(extractor(found.items))
        clouds += [] if found.clouds is None else [found.clouds]
        pieces += [] if found.pieces is None else [found.pieces]
        empty += found.empty
        progress(min(start + BATCH, len(weights)), len(weights))
    clouds, pieces = (np.concatenate(found) if found else None for found in (clouds, pieces))
    known = np.array([""] * len(weights) if classes is None else list(classes), dtype=object)
    return Decoded(np.concatenate(features), clouds, empty, weights.cpu(), pieces, known)


class Evaluation:
    """What generated weights are compared with: a zoo's training and held-out fits, decoded once, and copies of
    training weights with a little noise.

    count: number of weights on either side of a comparison; repeats: number of random subsets over which metrics are
    averaged; pair_points: number of points of each cloud that are used for distances between clouds. WsrError if the
    zoo has fewer than `count` training or held-out fits.
    """

    def __init__(
        self, zoo: Zoo, extractor: Extractor, *, count: int = COUNT, repeats: int = 5, seed: int = 0,
        resolution: int | None = None, pair_points: int = POINTS,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ):  # fmt: skip
        self.pair_points = pair_points
        self.zoo, self.extractor, self.count, self.repeats, self.seed = zoo, extractor, count, repeats, seed
        self.resolution = resolution or zoo.resolution
        rows = {split: zoo.good(split) for split in ("train", "heldout")}
        self.ids = {split: found["id"].tolist() for split, found in rows.items()}
        classes = {split: found["class"].tolist() for split, found in rows.items()}
        parts = {split: zoo.weights(ids) for split, ids in self.ids.items()}
        for split, weights in parts.items():
            enough(split, len(weights), count)
        copies = max(count, len(parts["heldout"]))
        parts["replica"] = noisy(parts["train"], REPLICA_NOISE, copies, seed)
        classes["replica"] = [classes["train"][i] for i in copied_rows(len(parts["train"]), copies, seed).tolist()]
        total, done = sum(map(len, parts.values())), 0
        self.known: dict[str, Decoded] = {}
        for name, weights in parts.items():
            self.known[name] = self.decoded(
                weights, lambda part, _, before=done: progress(before + part, total), classes[name]
            )
            done += len(weights)
        self._own: dict[str, np.ndarray] = {}
        self.unseen = "heldout"  # name in `known` of the fits that tables call held out

    def compare_with(
        self, rows: pd.DataFrame, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> None:  # fmt: skip
        """Lets tables compare with other fits of the zoo, such as those of its test split, where they would with the
        held-out ones. rows: those of the zoo's index; fits that are not good are left out. Call it before `table`.
        WsrError for fewer than `count` good ones."""
        rows = rows[rows["status"] == "ok"]
        if rows["id"].tolist() == self.ids["heldout"]:
            return
        enough("compared", len(rows), self.count)
        self.ids["compared"], self.unseen = rows["id"].tolist(), "compared"
        weights = self.zoo.weights(self.ids["compared"])
        self.known["compared"] = self.decoded(weights, progress, rows["class"].tolist())

    @cached_property
    def base(self) -> list[dict]:
        """The rows of the replica and of the floor: against unseen fits, the score of the training fits."""
        pairs = [("replica", "train"), ("replica", "heldout"), (self.unseen, "train"), ("train", "heldout")]
        rows = [self._row(name, self.known[name], against) for name, against in pairs]
        return [row if row["set"] == "replica" else row | {"set": "floor"} for row in rows]

    def decoded(
        self, weights: Float[Tensor, "n p"], progress: Callable[[int, int], None] = lambda done, total: None,
        classes: Sequence[str] | None = None,
    ) -> Decoded:  # fmt: skip
        """Decodes weights like those of the zoo. classes: the class of each, for metrics that need it."""
        return decoded(self.zoo.representation, weights, self.extractor, self.resolution, progress, classes)

    def table(self, samples: Decoded) -> pd.DataFrame:
        """Returns a row for each of `SETS` against the training and the held-out fits; standard deviations are in
        columns whose names end in " sd". WsrError for fewer than `count` samples."""
        enough("samples", len(samples), self.count)
        rows = [self._row("samples", samples, against) for against in ("train", "heldout")]
        return pd.DataFrame([*rows, *self.base])

    def _row(self, name: str, gen: Decoded, against: str) -> dict:
        scores = pd.DataFrame(list(self._scores(name, gen, self.unseen if against == "heldout" else against)))
        row = {"set": name, "against": against, "count": self.count, "repeats": self.repeats, "empty": gen.empty}
        for column in scores:
            row |= {column: scores[column].mean(), f"{column} sd": scores[column].std(ddof=0)}
        return row

    def _scores(self, name: str, gen: Decoded, against: str) -> Iterator[dict[str, float]]:
        ref, distances = self.known[against], None
        if gen.clouds is not None:
            # distances of all pairs would take minutes, so subsets are drawn from `pool` instances
            pool = max(self.count, CLOUD_POOL)
            gen, ref = gen.some(pool), ref.some(pool)
            own = self._within(name, gen.clouds)
            across = pairwise_chamfer(gen.clouds[:, : self.pair_points], ref.clouds[:, : self.pair_points])
            distances = own, across, self._within(against, ref.clouds)
        for repeat in range(self.repeats):
            generator = np.random.default_rng([self.seed, repeat])
            i, j = (generator.choice(len(one), self.count, replace=False) for one in (gen, ref))
            at_hand: dict[str, tuple] = {"features": (gen.features[i], ref.features[j])}
            if distances is not None:
                within, across, within_ref = distances
                at_hand["distances"] = within[np.ix_(i, i)], across[np.ix_(i, j)], within_ref[np.ix_(j, j)]
            if gen.pieces is not None and ref.pieces is not None:
                at_hand["pieces"] = gen.pieces[i], ref.pieces[j], gen.classes[i], ref.classes[j]
            if gen.weights is not None and ref.weights is not None:
                at_hand["weights"] = gen.weights[i], ref.weights[j]
            yield measured(at_hand)

    def _within(self, name: str, clouds: Float[np.ndarray, "n p 3"]) -> Float[np.ndarray, "n n"]:
        """Returns the distances of clouds to each other, and keeps those of sets that are compared repeatedly."""
        clouds = clouds[:, : self.pair_points]
        if name not in self.known:
            return pairwise_chamfer(clouds, clouds)
        if name not in self._own:
            self._own[name] = pairwise_chamfer(clouds, clouds)
        return self._own[name]


def enough(name: str, available: int, count: int) -> None:
    """Raises a WsrError if subsets of `count` cannot be drawn from the available weights."""
    if not 2 <= count <= available:
        raise WsrError(
            f"A comparison takes from 2 weights of each side to as many as there are ({name}: "
            f"{available}), not {count}."
        )


def set_metrics() -> list[Metric]:
    """Returns the registered metrics that compare two sets of weights: the columns of `Evaluation.table`."""
    return needing(*OF_SETS)


def evaluate(
    samples: Float[Tensor, "n p"], zoo: Zoo, extractor: Extractor, classes: Sequence[str] | None = None, **options
) -> pd.DataFrame:
    """Returns `Evaluation(zoo, extractor, **options).table` for these weights and the classes they were sampled of.
    WsrError, before anything is decoded, if there are fewer than `count`."""
    enough("samples", len(samples), options.get("count", COUNT))
    made = Evaluation(zoo, extractor, **options)
    return made.table(made.decoded(samples, classes=classes))
