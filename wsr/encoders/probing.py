"""Probing, like ProbeGen (Kahana et al., 2024): evaluates the field at learned points, and reads the answers. Weights
that describe the same field have the same answers, so it is invariant to every symmetry by construction. Unlike
ProbeGen's, the points are learned one by one, without a generator."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.fields.representation import Representation

POINTS, WIDTH = 128, 128


class Probing(NetworkEncoder):
    """An MLP on the field's values at learned points."""

    epochs = 12

    def build(self, weights):
        return _Probes(self.model)


class _Probes(nn.Module):
    def __init__(self, model: Representation):
        super().__init__()
        self.model = model
        # Spread over the domain. A generator of the points would move them too far in each step of Adam: fields of high
        # frequencies then answer something else every time
        self.places = nn.Parameter(torch.atanh(1.8 * torch.rand(POINTS, model.dim) - 0.9))
        values = POINTS * model.config.outputs
        self.read = nn.Sequential(nn.Linear(values, WIDTH), nn.LayerNorm(WIDTH), nn.ReLU(), nn.Linear(WIDTH, FEATURES))

    def points(self) -> Float[Tensor, "q d"]:
        """Returns the learned points, in [-1, 1]."""
        return torch.tanh(self.places)

    def forward(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        values = self.model.evaluate(weights, self.points()[None])  # (n, q, v)
        return self.read(values.tanh().flatten(1))  # far from a surface the size of a logit says nothing
