"""A seventh representation, FiLM: a factor for each input channel of each layer of the base."""

import torch

from wsr.fields.base import wide_dtype
from wsr.fields.registry import RepresentationKind
from wsr.fields.representation import Representation, TensorSpec
from wsr.fields.synthesis import Modulation
from wsr.symmetry import acted, canonical_form


class Film(Representation):
    """W' = W̄ diag(s), with a vector s (c,) for each layer."""

    def __init__(self, kind, config, base, rank=0, mask_seed=0):
        self.folded = base.folded().detach()  # (l, c, c)
        super().__init__(kind, config, base, 0, mask_seed)

    @classmethod
    def tensors(cls, kind, config, rank):
        return [TensorSpec(f"layers.{layer}.scale", (config.channels,)) for layer in range(config.layers)]

    def start(self, noise, init="centered", sigma=0.02):
        return 1 + sigma * noise

    def factors(self, weights):
        return weights.unflatten(1, (self.config.layers, -1)).transpose(0, 1)[:, :, None]  # (l, n, 1, c)

    def evaluate(self, weights, points, dtype=torch.float32):
        a = self.factors(self.layout.fill(weights.to(wide_dtype(dtype))))
        return self.base(points, Modulation(self.folded, a, torch.ones_like(a).mT), dtype)


@acted.register
def _(model: Film, full, kind, generator, strength):
    factor = torch.exp(strength * torch.randn(model.config.layers, generator=generator)).to(full)
    return full * factor.repeat_interleave(model.config.channels)


@canonical_form.register
def _(model: Film, weights):
    scales = weights.unflatten(1, (model.config.layers, -1))  # (n, l, c)
    return (scales / scales.norm(dim=-1, keepdim=True)).flatten(1)


FILM = RepresentationKind(
    name="film", label="FiLM", home=Film, colour="black", centred=True, parts="channels",
    symmetries=("scale",),  # demodulation cancels a common scale of a layer's factors
    rates={"cpu image": 3e-2},
)  # fmt: skip
