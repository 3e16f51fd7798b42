"""Standardisation of what networks of weights read. Which one is used decides which symmetries survive it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class EntryScale(nn.Module):
    """Each entry minus its mean over the training weights, in units of its standard deviation. It sees even small
    deviations from a shared start; a permutation of neurons does not commute with it."""

    def __init__(self, weights: Float[Tensor, "n p"]):
        super().__init__()
        std = weights.std(0)
        self.register_buffer("mean", weights.mean(0))
        self.register_buffer("std", torch.where(std > 0, std, 1.0))

    def forward(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        return (weights - self.mean) / self.std


class TensorScale(nn.Module):
    """All entries of a tensor minus one mean, in units of one standard deviation: commutes with permutations of its
    rows and columns."""

    def __init__(self, tensors: dict[str, Tensor]):
        super().__init__()
        self.of = {name: (float(one.mean()), float(one.std().clamp_min(1e-8))) for name, one in tensors.items()}

    def forward(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: (one - self.of[name][0]) / self.of[name][1] for name, one in tensors.items()}
