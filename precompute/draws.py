"""Draws of all that is random in fits: the mask, the start and the points.

A base states one seed of masks, which all fits on it share. What a mask does is therefore known only from fits with
several masks, and how far a second run would move a mean only from several starts and points.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context
from precompute.selection import modality_of
from wsr.data import Signals
from wsr.fields import masks, registry
from wsr.fields.representation import Representation, make_representation
from wsr.fitting.fit import representation_for
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import make_problem
from wsr.presets import FitConfig
from wsr.stats import Difference, crossed

BATCH = 8
LITERAL = math.sqrt(masks.KAPPA)  # the standard deviation of frozen entries that are N(0, κI), as the paper writes it


def drawn_model(number: int, cell: Cell, context: Context, kappa: float) -> Representation:
    """The representation of a cell with the mask of the draw with this number, from 0. kappa: standard deviation of
    the mask's frozen entries."""
    base = context.base(cell.data) if registry.named(cell.representation).needs_base else None
    usual = representation_for(cell.representation, base, modality_of(cell.data), preset=context.preset)
    return make_representation(cell.representation, usual.base, usual.config, usual.rank, number).with_kappa(kappa)


@dataclass(frozen=True)
class Fitted:
    """Fits of n signals: the weights (n, p) and the qualities, PSNR in dB or IoU."""

    weights: Float[Tensor, "n p"]
    quality: list[float]


def fits_from(
    start: Float[Tensor, "p"], model: Representation, signals: Signals, config: FitConfig, *,
    seed: int, resolution: int, device: str, stored_as: torch.dtype = torch.float32,
) -> Fitted:  # fmt: skip
    """Fits each signal from one start. seed: of the points. stored_as: see `wsr.fitting.loop.run_fit`."""
    weights, quality = [], []
    for begun in range(0, len(signals), BATCH):
        problem = make_problem(signals[begun : begun + BATCH], resolution, seed, device)
        (record,) = run_fit(problem, model, start, config, resolution, 0, stored_as)
        weights.append(record.result.weights)
        quality += map(float, record.result.quality)
    return Fitted(torch.cat(weights), quality)


def over_draws(values: Float[np.ndarray, "k n"] | list[list[float]]) -> Difference:
    """The mean of n targets in k draws (`wsr.stats.crossed`), of those targets that are finite in every draw: a fit
    that diverged costs its own target alone."""
    values = np.asarray(values, dtype=float)
    return crossed(values[:, np.isfinite(values).all(axis=0)])
