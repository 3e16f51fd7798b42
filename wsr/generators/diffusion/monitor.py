"""Compares samples with the training weights while a diffusion model is trained."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.neighbours import nearest
from wsr.generators.base import Monitor


def compared(samples: Float[Tensor, "m p"], data: Float[Tensor, "n p"]) -> Monitor:
    """Compares samples with training weights, both standardised."""
    index, _ = nearest(samples, data, 1, "l2")
    return Monitor(cosine(samples), cosine(data[:256]), len(index.unique()), len(samples))


def cosine(x: Float[Tensor, "n p"]) -> float:
    """Returns the mean cosine between different rows."""
    unit = torch.nn.functional.normalize(x)
    return float((unit.sum(0).square().sum() - len(x)) / (len(x) * (len(x) - 1)))
