"""How good a set of generated weights is: distances of features and of shapes, beside what copying would get.

Against the training weights a generator can win by copying, so every number stands beside that of the replica baseline
(training weights with a little noise) and of the floor (held-out fits, which nobody copied). References are decoded
fits, so that a generator is not charged for what fitting loses.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.novelty import noisy
from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.metrics import frechet_distance, mmd
from wsr.metrics.features import Extractor
from wsr.metrics.sets import from_distances, pairwise_chamfer
from wsr.metrics.surfaces import POINTS, surface_points
from wsr.render.decode import decode
from wsr.zoo.zoo import Zoo

REPLICA_NOISE = 0.1  # of each parameter's spread
SETS = ("samples", "replica", "floor")
BATCH = 16


@dataclass
class Decoded:
    """What n weights are: `features` (n, d) by an extractor, and of shapes the points of their surfaces; `empty`: how
    many had none, and are a single point at the centre."""

    features: Float[np.ndarray, "n d"]
    clouds: Float[np.ndarray, "n p 3"] | None
    empty: int = 0

    def __len__(self) -> int:
        return len(self.features)


def decoded(
    model: Representation, weights: Float[Tensor, "n p"], extractor: Extractor, resolution: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Decoded:  # fmt: skip
    """Decodes weights and extracts the features of what they are."""
    features, clouds, empty = [], [], 0
    for start in range(0, len(weights), BATCH):
        found = decode(model, weights[start : start + BATCH], resolution)
        if model.dim == 3:
            empty += sum(not len(mesh.faces) for mesh in found)
            found = np.stack([_cloud(mesh, start + i) for i, mesh in enumerate(found)])
            clouds.append(found)
        features.append(extractor(np.clip(found, 0, 1) if model.dim == 2 else found))
        progress(min(start + BATCH, len(weights)), len(weights))
    return Decoded(np.concatenate(features), np.concatenate(clouds) if clouds else None, empty)


def _cloud(mesh, seed: int) -> Float[np.ndarray, "p 3"]:
    if not len(mesh.faces):
        return np.zeros((POINTS, 3), np.float32)
    return surface_points(mesh, POINTS, seed).astype(np.float32)


def evaluate(
    samples: Float[Tensor, "n p"], zoo: Zoo, extractor: Extractor, *, count: int = 200, repeats: int = 5, seed: int = 0,
    resolution: int | None = None, progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:  # fmt: skip
    """A row for each of `SETS` against the training and the held-out fits of `zoo`: means over `repeats` random subsets
    of `count` weights of either side, and their standard deviations (columns ending in " sd"). WsrError where there are
    fewer weights than `count`."""
    good = zoo.index[zoo.index["status"] == "ok"]
    parts = {split: zoo.weights(good[good["split"] == split]["id"].tolist()) for split in ("train", "heldout")}
    for name, available in (("samples", len(samples)), *((split, len(w)) for split, w in parts.items())):
        if not 2 <= count <= available:
            raise WsrError(f"Subsets of {count} cannot be drawn from {available} weights ({name}).")
    sets = {"samples": samples, "replica": noisy(parts["train"], REPLICA_NOISE, len(parts["heldout"]), seed), **parts}
    total, done, known = sum(map(len, sets.values())), 0, {}
    for name, weights in sets.items():
        known[name] = decoded(
            zoo.representation, weights, extractor, resolution or zoo.resolution,
            lambda part, _, before=done: progress(before + part, total),
        )  # fmt: skip
        done += len(weights)
    known["floor"] = known["heldout"]
    rows = []
    for name in SETS:
        for against in ("train", "heldout"):
            if (name, against) != ("floor", "heldout"):
                rows.append(_row(name, against, known, count, repeats, seed))
    # the floor against the held-out fits is what fits of the training set get there
    rows.append(_row("train", "heldout", known, count, repeats, seed) | {"set": "floor"})
    return pd.DataFrame(rows)


def _row(name: str, against: str, known: dict[str, Decoded], count: int, repeats: int, seed: int) -> dict:
    scores = pd.DataFrame(list(_scores(known[name], known[against], count, repeats, seed)))
    row = {"set": name, "against": against, "count": count, "repeats": repeats, "empty": known[name].empty}
    for column in scores:
        row |= {column: scores[column].mean(), f"{column} sd": scores[column].std(ddof=0)}
    return row


def _scores(gen: Decoded, ref: Decoded, count: int, repeats: int, seed: int) -> Iterator[dict[str, float]]:
    distances = None
    if gen.clouds is not None:
        pairs = ((gen.clouds, gen.clouds), (gen.clouds, ref.clouds), (ref.clouds, ref.clouds))
        distances = [pairwise_chamfer(x, y) for x, y in pairs]
    for repeat in range(repeats):
        generator = np.random.default_rng([seed, repeat])
        i, j = (generator.choice(len(one), count, replace=False) for one in (gen, ref))
        x, y = gen.features[i], ref.features[j]
        row = {"FD": frechet_distance(x, y), "MMD-G": mmd(x, y), "MMD-P": mmd(x, y, "polynomial")}
        if distances is not None:
            own = [distances[0][np.ix_(i, i)], distances[1][np.ix_(i, j)], distances[2][np.ix_(j, j)]]
            found = from_distances(*own)
            row |= {"mMD": found.mmd, "COV": found.cov, "1-NNA": found.nna1}
        yield row
