"""A neural functional network (Zhou et al., 2023) for standalone MLPs: its layers commute with permutations of the
neurons, and its features are invariant to them.

The layers are our own. The package `nfn` would do, but installs a top-level package `tests`, which hides this
project's. As in the paper's variant for networks whose inputs and outputs cannot be permuted, the columns of the first
layer and the rows of the last one are channels, here of the neurons that they touch.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.encoders.scaling import TensorScale
from wsr.fields.mlp import StandaloneMLP

CHANNELS, DEPTH = 16, 2
Edges = list[Float[Tensor, "n k k _"]]  # of the three square matrices
Neurons = list[Float[Tensor, "n k _"]]  # of the four layers of neurons


class NeuralFunctional(NetworkEncoder):
    """Equivariant layers on the weights between neurons and on what belongs to one neuron."""

    epochs, batch = 8, 16

    @classmethod
    def refusal(cls, model):
        if isinstance(model, StandaloneMLP):
            return ""
        return (
            "It reads networks whose neurons can be permuted, and what an instance of "
            f"{model.kind.label} adapts is a shared base, whose channels keep their order."
        )

    def build(self, weights):
        return _Functional(self.model, weights)


class _Functional(nn.Module):
    def __init__(self, model: StandaloneMLP, weights: Float[Tensor, "n p"]):
        super().__init__()
        self.model, self.scale = model, TensorScale(model.layout.unflatten(weights))
        own = model.dim + 1 + 1 + model.config.outputs  # channels of a neuron: see `_neurons`
        sizes = [(1, own)] + [(CHANNELS, CHANNELS)] * (DEPTH - 1)
        self.layers = nn.ModuleList(_Equivariant(*size, CHANNELS) for size in sizes)
        pooled = (3 + 4) * 2 * CHANNELS + model.config.outputs
        self.read = nn.Sequential(nn.BatchNorm1d(pooled), nn.Linear(pooled, FEATURES))

    def _neurons(self, t: dict[str, Tensor]) -> Neurons:
        """Returns what belongs to each neuron, zero where a layer has none: its frequencies, its phase, its bias, and
        its columns of the output layer."""
        first, last = t["fourier.weight"], t["output.weight"].mT  # (n, k, d), (n, k, v)
        none_first, none_last, none = torch.zeros_like(first), torch.zeros_like(last), torch.zeros_like(first[..., :1])
        found = [torch.cat([first, t["fourier.phase"][..., None], none, none_last], -1)]
        for layer in range(3):
            bias, out = t[f"hidden.{layer}.bias"][..., None], last if layer == 2 else none_last
            found.append(torch.cat([none_first, none, bias, out], -1))
        return found

    def forward(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        t = self.scale(self.model.layout.unflatten(weights))
        edges = [t[f"hidden.{layer}.weight"][..., None] for layer in range(3)]
        neurons = self._neurons(t)
        for layer in self.layers:
            edges, neurons = layer(edges, neurons)
        flat = [one.flatten(1, -2) for one in (*edges, *neurons)]
        pooled = [part for one in flat for part in (one.mean(1), one.square().mean(1))]
        return self.read(torch.cat([*pooled, t["output.bias"]], 1))


class _Equivariant(nn.Module):
    """An equivariant linear layer with parameters of its own for every matrix and every layer of neurons, and a ReLU.
    An edge sees itself, the means of its row and its column and of the matrix, both of its neurons, and the means of
    the other matrices' rows and columns that touch these neurons. A neuron sees itself, the mean of its layer, and the
    means of the edges that reach it and leave it."""

    def __init__(self, edge: int, neuron: int, out: int):
        super().__init__()
        seen = {"edge": edge, "row": 2 * edge + neuron, "column": 2 * edge + neuron, "whole": edge}
        self.edges = nn.ModuleList(nn.ModuleDict({k: nn.Linear(v, out) for k, v in seen.items()}) for _ in range(3))
        self.neurons = nn.ModuleList(nn.Linear(2 * neuron + 2 * edge, out) for _ in range(4))

    def forward(self, edges: Edges, neurons: Neurons) -> tuple[Edges, Neurons]:
        rows, columns = [one.mean(2) for one in edges], [one.mean(1) for one in edges]  # (n, o, c), (n, i, c)
        none = torch.zeros_like(rows[0])
        into, out_of = [none, *rows], [*columns, none]  # for each layer of neurons
        new_edges, new_neurons = [], []
        for k, (own, one) in enumerate(zip(self.edges, edges, strict=True)):
            row = own["row"](torch.cat([into[k + 1], out_of[k + 1], neurons[k + 1]], -1))
            column = own["column"](torch.cat([into[k], out_of[k], neurons[k]], -1))
            whole = own["whole"](one.mean((1, 2)))
            new_edges.append(torch.relu(own["edge"](one) + row[:, :, None] + column[:, None] + whole[:, None, None]))
        for k, (own, one) in enumerate(zip(self.neurons, neurons, strict=True)):
            mean = one.mean(1, keepdim=True).expand_as(one)
            new_neurons.append(torch.relu(own(torch.cat([one, mean, into[k], out_of[k]], -1))))
        return new_edges, new_neurons
