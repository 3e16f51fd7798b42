"""Adapters of a frozen base: a low-rank pair for each of its layers; and LoRA, which adds the product of the pair to
the layer."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.base import wide_dtype
from wsr.fields.masks import frozen_count, frozen_draws
from wsr.fields.portable import base_plan
from wsr.fields.representation import Representation, TensorSpec
from wsr.fields.synthesis import Modulation


class Adapter(Representation):
    """A low-rank pair A (r, c), B (c, r) for every synthesis layer of a frozen base (equation 2). WsrError for a rank
    outside [1, c]."""

    additive: bool

    def __init__(self, kind, config, base, rank, mask_seed=0):
        if not 1 <= rank <= config.channels:
            raise WsrError(f"The rank must lie between 1 and the layers' width {config.channels}, not {rank!r}.")
        self.layers = config.layers
        self.folded = base.folded().detach()  # (l, c, c)
        super().__init__(kind, config, base, rank, mask_seed)

    @classmethod
    def tensors(cls, kind, config, rank):
        c = config.channels
        frozen = frozen_count(c) if kind.masked else 0
        pairs = (
            (TensorSpec(f"layers.{layer}.A", (rank, c), frozen), TensorSpec(f"layers.{layer}.B", (c, rank)))
            for layer in range(config.layers)
        )
        return [tensor for pair in pairs for tensor in pair]

    def pairs(self, full: Float[Tensor, "n total"]) -> tuple[Float[Tensor, "l n r c"], Float[Tensor, "l n c r"]]:
        """Returns A and B of all layers, given full vectors (frozen entries in place)."""
        n, c, r = full.shape[0], self.config.channels, self.rank
        layers = full.view(n, self.layers, 2, r * c).permute(1, 2, 0, 3)  # (l, 2, n, r·c)
        return layers[:, 0].reshape(self.layers, n, r, c), layers[:, 1].reshape(self.layers, n, c, r)

    def joined(self, a: Float[Tensor, "l n r c"], b: Float[Tensor, "l n c r"]) -> Float[Tensor, "n total"]:
        """Returns full vectors, given A and B of all layers: the inverse of `pairs`."""
        return torch.stack([a.flatten(2), b.flatten(2)], dim=1).permute(2, 0, 1, 3).flatten(1)

    def lr_multipliers(self, a_rate):
        a, b = self.pairs(torch.ones(1, self.layout.total, device=self.device))
        return self.layout.strip(self.joined(a * a_rate, b))[0]

    def adapt(self, a: Float[Tensor, "l n r c"], b: Float[Tensor, "l n c r"]) -> Modulation:
        """Returns the adapted matrices W' of every layer, not yet demodulated."""
        return Modulation(self.folded, a, b, self.additive)

    def evaluate(self, weights, points, dtype=torch.float32):
        return self.base(points, self.adapt(*self.pairs(self.layout.fill(weights.to(wide_dtype(dtype))))), dtype)

    def plan(self):
        pairs = [(f"layers.{layer}.A", f"layers.{layer}.B") for layer in range(self.layers)]
        return base_plan(self.base, pairs, self.additive)


class AdditiveLoRA(Adapter):
    """LoRA: W' = W̄ + B A. A ~ N(0, 1/d_in) and B = 0, so that a fit starts at the base's mean instance. The mask
    freezes entries of A at draws with κ times that standard deviation (section 3.4)."""

    additive = True

    def frozen_values(self, tensor, layer):
        std = self.kappa * (1 / math.sqrt(self.config.channels))
        return frozen_draws(math.prod(tensor.shape), std, self.mask_seed, layer)

    def start(self, noise, init="centered", sigma=0.0):
        """Returns the start of a fit. `normal`: A and B ~ N(0, 1), as in the paper's section 3.4; the frozen entries
        keep their size. Any other `init`, and `sigma`, have no effect: with B = 0, every A starts at the base's mean
        instance."""
        if init == "normal":
            return noise
        a, b = self.pairs(noise[None])
        return self.joined(a / math.sqrt(self.config.channels), torch.zeros_like(b))[0]
