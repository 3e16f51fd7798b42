"""Bilinear forms of an adapter's products: (U B)(A V) with learned U and V. They depend on B and A through B A only, so
they are invariant to GL(r), and B A itself (c × c for each layer) is never formed."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.fields.lora import Adapter

FORMS, WIDTH = 16, 128


class Product(NetworkEncoder):
    """An MLP on FORMS² bilinear forms of the product of each layer."""

    @classmethod
    def refusal(cls, model):
        if isinstance(model, Adapter):
            return ""
        return f"It reads products B A of adapters, and {model.kind.label} has no such pairs."

    def build(self, weights):
        return _Forms(self.model, weights)


class _Forms(nn.Module):
    """The mean product of the training weights is subtracted, and each layer divided by one number, both of which keep
    the invariance."""

    def __init__(self, model: Adapter, weights: Float[Tensor, "n p"]):
        super().__init__()
        self.model = model
        c, layers = model.config.channels, model.layers
        a, b = model.pairs(model.layout.fill(weights))
        mean = torch.einsum("lncr,lnrd->lcd", b, a) / len(weights)
        # ‖B A‖² = ⟨Bᵀ B, A Aᵀ⟩, which needs r × r matrices only
        square = ((b.mT @ b) * (a @ a.mT)).sum((-2, -1)).mean(1) - mean.square().sum((1, 2))  # (l,)
        self.register_buffer("mean", mean)
        self.register_buffer("std", square.clamp_min(1e-12).sqrt() / c)
        self.left = nn.Parameter(torch.randn(layers, FORMS, c) / math.sqrt(c))
        self.right = nn.Parameter(torch.randn(layers, c, FORMS) / math.sqrt(c))
        values = layers * FORMS**2
        self.read = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(values, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU(), nn.Linear(WIDTH, FEATURES)
        )

    def forward(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        a, b = self.model.pairs(self.model.layout.fill(weights))  # (l, n, r, c), (l, n, c, r)
        forms = (self.left[:, None] @ b) @ (a @ self.right[:, None])  # (l, n, f, f)
        centred = forms - (self.left @ self.mean @ self.right)[:, None]
        return self.read((centred / self.std[:, None, None, None]).transpose(0, 1).flatten(1))
