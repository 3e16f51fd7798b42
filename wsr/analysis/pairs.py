"""Audits somebody else's samples against the zoo that their generator has learnt from.

The audit of our own generators (`plane`) decodes the whole zoo. This one answers while somebody waits: only the samples
and some held-out fits are decoded, and the bounds are as strict as the number of held-out fits allows.
"""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.evaluation import decoded
from wsr.analysis.function_space import feature_distances, own_distances
from wsr.analysis.novelty import audit_of, halves
from wsr.analysis.plane import Placing, found_share, summary
from wsr.data.splits import HELDOUT, TRAIN
from wsr.errors import WsrError, counted
from wsr.generators.baselines import baselines, plants
from wsr.imports.base import HELDOUT_SHARE, Item
from wsr.imports.splits import are_ours, settled
from wsr.metrics.features import Extractor
from wsr.modalities import Modality
from wsr.zoo.zoo import Zoo

SAMPLES, HELD_OUT = "your samples", "held out"
RATE = 0.05  # of false positives, where there are held-out fits enough
LEAST, EACH = 16, 2  # held-out fits of an audit, and false positives that each half of them should have
SET_ASIDE = 0.25  # share of fits that an audit holds out where their source states no splits
BASELINES, PLANTED = 16, 16  # weights of each baseline, and of each kind of planted copies
COMPARED = 64  # held-out fits that are decoded and shown
Progress = Callable[[str, float], None]


def set_aside(zoo: Zoo) -> bool:
    """Sets a quarter of a zoo's fits aside, where its source does not say which the generator has seen: without fits
    that it is not compared with, an audit has no bounds. Returns whether that was so. A test set is held out where
    there is no validation set, as in imports."""
    ids, splits = zoo.ids, zoo.index["split"].tolist()
    unknown = any(are_ours(ids, splits, share) for share in (HELDOUT_SHARE, SET_ASIDE)) or set(splits) == {TRAIN}
    if HELDOUT in splits and not unknown:
        return False
    known = set() if unknown else set(splits)
    ours = [settled(Item(one, Path(), split=split), known, SET_ASIDE) for one, split in zip(ids, splits, strict=True)]
    if ours != splits:
        with zoo.writing():
            zoo.index.assign(split=ours).to_parquet(zoo.path / "index.parquet", index=False)
            zoo.reload()
    return unknown


def rate_of(zoo: Zoo) -> float:
    """Returns the lowest rate of false positives that a training zoo's held-out fits can set. WsrError if there are too
    few of them."""
    heldout = len(zoo.good("heldout"))
    if heldout < LEAST:
        raise WsrError(
            "The bounds of an audit are set by networks that the generator has not seen. The training zoo sets "
            f"{counted(heldout, 'network')} aside, and {LEAST} are needed: bring more of it, or mark some as 'heldout' "
            "in the column 'split' of its index."
        )
    half = min(map(len, halves(zoo)[1]))
    if 2 * half < LEAST:
        raise WsrError(
            f"The bounds of an audit are set by one half of the held-out networks and tested by the other. Of the "
            f"{heldout:,} of the training zoo so many are of one family that the smaller half has {half}, and "
            f"{LEAST // 2} are needed: bring more of it."
        )
    rate = max(RATE, EACH / half)
    return rate if half * rate >= EACH else math.nextafter(rate, 1)


def pair_report(
    zoo: Zoo, samples: Float[Tensor, "m p"], extractor: Extractor | None, progress: Progress, *, everything: bool,
    seed: int = 0,
) -> tuple[pd.DataFrame, dict]:  # fmt: skip
    """Judges samples against a training zoo. Returns a table and a dictionary like those of `plane.audit_report`.

    extractor: of features of what weights decode to; None where there is none, and then everything counts as real.
    everything: whether the generator may have seen the held-out fits too, so that samples are compared with them as
    well, by the bounds that they set. WsrError if there are too few held-out fits.
    """
    progress("Setting the bounds …", 0.1)
    rate = rate_of(zoo)
    audit, audited, tested = audit_of(zoo, rate)
    heldout = zoo.weights(zoo.good("heldout")["id"].tolist())
    chosen = np.unique(np.linspace(0, len(heldout) - 1, min(COMPARED, len(heldout))).round().astype(int))
    placing = seen = Placing(audit, audited, heldout[chosen])
    if everything:
        audited = zoo.good()["id"].tolist()
        audit = audit.with_training(zoo.weights(audited))
        seen = placing.against(audit, audited)
    training = zoo.weights(audited)
    sets = {SAMPLES: samples, HELD_OUT: heldout[chosen], **dict(baselines(training, BASELINES, seed))}
    looks, parts = _Looks(zoo, extractor, heldout[chosen]), []
    for done, (name, weights) in enumerate(sets.items()):
        progress(f"Judging {name} …", 0.2 + 0.7 * done / len(sets))
        rows = (placing if name == HELD_OUT else seen).placed(weights)
        quality = looks.own if name == HELD_OUT else looks.distances(weights)
        like = {"quality": quality, "function": np.nan, "looks like": rows["nearest"]}
        number = chosen if name == HELD_OUT else range(len(rows))
        parts.append(rows.assign(generator=name, sample=number, **like))
    planted = plants(zoo.representation, training, PLANTED, seed)
    about = {
        "zoo": zoo.path.name, "extractor": extractor.name if extractor else "", "alarm": rate, "tested": len(tested),
        "false alarms": sum(verdict.word != "novel" for verdict in tested), "thresholds": list(audit.thresholds),
        "novelty units": placing.novelty_units, "baseline count": BASELINES, "seed": seed, "audited": audited,
        "planted": {name: found_share(audit, weights) for name, weights in planted.items()},
        "everything": everything, "training distances": audit.among().numpy().round(4).tolist(),
        "summaries": {part["generator"].iloc[0]: summary(part) for part in parts},
    }  # fmt: skip
    return pd.concat(parts, ignore_index=True), about


class _Looks:
    """How far what weights decode to is from what held-out fits decode to, in units of theirs from each other."""

    def __init__(self, zoo: Zoo, extractor: Extractor | None, heldout: Float[Tensor, "m p"]):
        self.zoo, self.extractor = zoo, extractor
        self.known = self._features(heldout)
        apart = own_distances(self.known) if extractor else np.ones(len(heldout))
        self.unit = float(np.median(apart)) or 1.0
        self.own = apart / self.unit  # of the held-out fits

    def _features(self, weights: Float[Tensor, "n p"]) -> Float[np.ndarray, "n d"]:
        if self.extractor is None:
            return np.ones((len(weights), 1), np.float32)
        at = self.zoo.modality.resolutions.judged
        return decoded(self.zoo.representation, weights, self.extractor, at).features

    def distances(self, weights: Float[Tensor, "n p"]) -> Float[np.ndarray, " n"]:
        if self.extractor is None:
            return np.ones(len(weights))
        return feature_distances(self._features(weights), self.known).min(1) / self.unit


def extractor_of(modality: Modality) -> Extractor | None:
    """The extractor of features of a modality; None where its weights are not here."""
    try:
        return modality.extractor()
    except WsrError:
        return None
