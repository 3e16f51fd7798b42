"""The standalone MLP: a network for each instance, without a base."""

import math

import torch

from wsr.fields.base import wide_dtype
from wsr.fields.masks import frozen_count, frozen_draws
from wsr.fields.neurons import NeuronChain, NeuronLayer
from wsr.fields.portable import Plan, PlannedLayer
from wsr.fields.representation import TensorSpec


class StandaloneMLP(NeuronChain):
    """A Fourier layer, three hidden ReLU layers and a linear output layer, all trained (section 8.1, figure 7a)."""

    def __init__(self, kind, config, base=None, rank=0, mask_seed=0):
        self.width = self.width_of(kind, config)
        self.hidden_scale = math.sqrt(2 / self.width)
        super().__init__(kind, config, None, 0, mask_seed)

    @staticmethod
    def width_of(kind, config) -> int:
        """Returns the width of the hidden layers. A preset may widen the masked MLP to make up for frozen entries."""
        return (config.mlp_asym_width if kind.masked else 0) or config.mlp_width

    @classmethod
    def tensors(cls, kind, config, rank):
        n, out = cls.width_of(kind, config), config.outputs
        frozen = frozen_count(n) if kind.masked else 0
        hidden = [
            tensor
            for layer in range(3)
            for tensor in (
                TensorSpec(f"hidden.{layer}.weight", (n, n), frozen), TensorSpec(f"hidden.{layer}.bias", (n,))
            )
        ]  # fmt: skip
        first = [TensorSpec("fourier.weight", (n, config.dim)), TensorSpec("fourier.phase", (n,))]
        return [*first, *hidden, TensorSpec("output.weight", (out, n)), TensorSpec("output.bias", (out,))]

    def neurons(self):
        names = [("fourier.weight", "fourier.phase")]
        names += [(f"hidden.{layer}.weight", f"hidden.{layer}.bias") for layer in range(3)]
        after = [weight for weight, _ in names[1:]] + ["output.weight"]
        return [
            NeuronLayer(weight, bias, reads, self.width, odd=not layer)
            for layer, ((weight, bias), reads) in enumerate(zip(names, after, strict=True))
        ]

    def frozen_values(self, tensor, layer):
        return frozen_draws(math.prod(tensor.shape), self.kappa * self.hidden_scale, self.mask_seed, layer)

    def start(self, noise, init="centered", sigma=0.0):
        """Returns the start of a fit: Fourier frequencies ~ N(0, 1), He-normal hidden layers, zero biases. `init` and
        `sigma` have no effect: without a base there is no mean instance to start from."""
        n, d, out = self.width, self.config.dim, self.config.outputs
        frequencies, hidden, output = noise.split([n * d + n, 3 * (n * n + n), out * n + out])
        phases = torch.erf(frequencies[n * d :] / math.sqrt(2)) * (math.pi / self.config.omega)  # uniform over a period
        layers = hidden.view(3, n * n + n) * self.hidden_scale
        layers[:, n * n :] = 0
        output = output / math.sqrt(n)
        output[out * n :] = 0
        return torch.cat([frequencies[: n * d], phases, layers.flatten(), output])

    def evaluate(self, weights, points, dtype=torch.float32):
        wide = wide_dtype(dtype)
        t, points = self.layout.unflatten(weights.to(wide)), points.to(wide)
        omega, n = self.config.omega, weights.shape[0]
        phase = t["fourier.phase"][:, None] * omega
        h = torch.sin(torch.baddbmm(phase, points.expand(n, -1, -1), t["fourier.weight"].mT * omega))  # (n, p, N)
        h = h.to(dtype)
        for layer in range(3):
            weight, bias = t[f"hidden.{layer}.weight"].to(dtype), t[f"hidden.{layer}.bias"].to(dtype)
            h = torch.relu(torch.baddbmm(bias[:, None], h, weight.mT))
        return torch.baddbmm(t["output.bias"][:, None], h.to(wide), t["output.weight"].mT)  # (n, p, v)

    def plan(self):
        layers = [PlannedLayer(f"hidden.{layer}.weight", f"hidden.{layer}.bias") for layer in range(3)]
        return Plan(self.config.omega, "fourier.weight", "fourier.phase", layers, "output.weight", "output.bias")
