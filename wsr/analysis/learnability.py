"""How learnable the weights of a zoo are: four figures, by which two ways of fitting can be compared.

A generator learns what weights have in common. Of the change that a fit makes from its start, one part depends on the
target in a way that other targets teach, and the rest is noise of fitting, which no generator can learn. The figures:

- noise share: how much two fits of one target differ, if they begin at independent starts;
- span share: how much of an unseen fit lies in the span of n training fits;
- attributes: what a ridge regression on training fits reads of what unseen targets were made with;
- the Fréchet distance of a small generator that was trained on the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.connectivity import similarity
from wsr.analysis.evaluation import decoded, enough, some_rows
from wsr.errors import WsrError
from wsr.metrics.distributions import frechet_distance
from wsr.metrics.features import Extractor
from wsr.zoo.zoo import Zoo

ALPHAS = np.logspace(-4, 3, 15)  # of the ridge regression, chosen by leaving out one training fit at a time
LEAST_TRAINING, LEAST_UNSEEN = 20, 10  # fits with an attribute, below which it is left out


@dataclass(frozen=True)
class NoiseShare:
    """How two fits of n targets differ, as 1 − cosine of their changes from the mean start.

    share (n,): of the two fits of each target; 0 if they are the same. floor: the mean of two fits of different
    targets, which is what `share` would be if nothing of a fit depended on its target. own (n,): the same as `share`
    after subtracting the mean change of all targets. That mean is common to all fits of a zoo and tells none of them
    apart, so `own` is the share of noise in what distinguishes them; its floor is about 1.
    """

    share: Float[np.ndarray, "n"]
    floor: float
    own: Float[np.ndarray, "n"]


def noise_share(
    a: Float[Tensor, "n p"], b: Float[Tensor, "n p"], start: Float[Tensor, "p"] | float = 0.0
) -> NoiseShare:
    """Compares two fits of each target, made independently. start: the mean of their starts.

    If a change is the sum of a part that the target determines and of independent noise, the expected share is the
    share of the noise in the squared length of the change. WsrError for fewer than two targets."""
    if len(a) != len(b) or len(a) < 2:
        raise WsrError(f"A share of noise takes two fits of two targets or more, not {len(a)} and {len(b)}.")
    raw = similarity(a, b, start)
    own = similarity(a - a.mean(0), b - b.mean(0))
    return NoiseShare(1 - raw.cosine, 1 - raw.floor, 1 - own.cosine)


def projected(
    weights: Float[Tensor, "n p"], known: Float[Tensor, "m p"], count: int | None = None
) -> tuple[Float[Tensor, "n p"], float]:
    """Projects weights onto the first `count` principal components of others, by default all, with each parameter in
    units of its standard deviation. Returns the projections, and the share of the weights' variance that they keep."""
    mean, std = known.mean(0), known.std(0).clamp_min(1e-6)
    components = torch.linalg.svd((known - mean) / std, full_matrices=False).Vh[: count or len(known) - 1]  # (k, p)
    standard = (weights - mean) / std
    within = standard @ components.T @ components
    return within * std + mean, float(within.square().sum() / standard.square().sum())


def span_share(
    unseen: Float[Tensor, "n p"], training: Float[Tensor, "m p"], counts: Sequence[int], seed: int = 0
) -> dict[int, float]:
    """Returns for each count the share of the variance of unseen fits that lies in the span of so many training fits.
    The training fits are drawn at random, and those for a lower count are among those for a higher one. WsrError if a
    count is below 2 or above the number of training fits."""
    if not all(2 <= count <= len(training) for count in counts):
        raise WsrError(f"A span is one of 2 fits or more, and of {len(training)} at most, not of {list(counts)}.")
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(seed))
    return {count: projected(unseen, training[order[:count]])[1] for count in counts}


def read_attributes(
    training: Float[np.ndarray, "n p"], known: pd.DataFrame, unseen: Float[np.ndarray, "m p"], asked: pd.DataFrame
) -> pd.DataFrame:
    """Reads attributes of unseen targets from their weights by ridge regression on training weights.

    known, asked: a row for each weight and a column for each attribute, as `Zoo.attributes`. Returns a row for each
    attribute: its `kind`; its `score`, R² for a "number" and the accuracy for a "category"; `chance`, the score without
    the weights (0, or the accuracy of naming the most frequent category); and the numbers of `training` and `unseen`
    fits that have it. Parameters are standardised, and the strength of the penalty is chosen on the training fits by
    leaving out one at a time. Attributes that too few fits have, or that do not vary, are left out.
    """
    near, far = _coordinates(training, unseen)
    rows = [_read(name, near, known[name], far, asked[name]) for name in known if name in asked]
    columns = ["attribute", "kind", "score", "chance", "training", "unseen"]
    return pd.DataFrame([row for row in rows if row], columns=columns)


def _coordinates(
    training: Float[np.ndarray, "n p"], unseen: Float[np.ndarray, "m p"]
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "m k"]]:
    """Returns standardised weights in an orthonormal basis of the span of the training weights, scaled so that they
    have a length of about 1. A ridge regression predicts from them what it predicts from the weights themselves, but is
    computed much faster, because there are fewer fits than parameters."""
    mean, std = training.mean(0), np.maximum(training.std(0), 1e-6)
    scaled, other = ((weights - mean) / std / training.shape[1] ** 0.5 for weights in (training, unseen))
    basis = np.linalg.svd(scaled, full_matrices=False)[2].T  # (p, k)
    return scaled @ basis, other @ basis


def _read(
    name: str, near: Float[np.ndarray, "n k"], known: pd.Series, far: Float[np.ndarray, "m k"], asked: pd.Series
) -> dict | None:
    from sklearn.linear_model import RidgeClassifierCV, RidgeCV

    have, wanted = known.notna().to_numpy(), asked.notna().to_numpy()
    known, asked = known[have], asked[wanted]
    if have.sum() < LEAST_TRAINING or wanted.sum() < LEAST_UNSEEN or min(known.nunique(), asked.nunique()) < 2:
        return None
    row = {"attribute": name, "training": int(have.sum()), "unseen": int(wanted.sum())}
    if pd.api.types.is_numeric_dtype(known):
        model = RidgeCV(ALPHAS).fit(near[have], known.to_numpy(float))
        return row | {"kind": "number", "score": model.score(far[wanted], asked.to_numpy(float)), "chance": 0.0}
    model = RidgeClassifierCV(ALPHAS).fit(near[have], known.to_numpy(str))
    chance = float((asked == known.mode()[0]).mean())
    return row | {"kind": "category", "score": model.score(far[wanted], asked.to_numpy(str)), "chance": chance}


def generated_distance(
    zoo: Zoo, samples: Float[Tensor, "n p"], extractor: Extractor, resolution: int | None = None, device: str = "cpu"
) -> float:
    """Returns the Fréchet distance (FD) of decoded samples and the zoo's decoded validation fits, as many of either.
    device: where they are decoded. WsrError for fewer than two on either side."""
    fits = zoo.good("validation")
    count = min(len(samples), len(fits))
    chosen = fits["id"].iloc[some_rows(fits["class"].tolist(), count)].tolist()
    enough("samples, validation fits", count, count)
    resolution = resolution or zoo.modality.resolutions.judged
    both = (samples[:count].float().cpu(), zoo.weights(chosen))
    model, extractor = zoo.representation.to(device), extractor.to(device)
    generated, real = (decoded(model, one, extractor, resolution).features for one in both)
    return frechet_distance(generated, real)
