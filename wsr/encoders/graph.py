"""A graph metanetwork (Lim et al., 2023; Kofinas et al., 2024): an instance is a graph whose edges are its weights, and
messages pass along them. Neurons and rank components are nodes without names, so their order does not matter; inputs,
outputs and the channels of a shared base are nodes with learned names.

Message passing is our own and dense: between two layers every node is joined to every other, so that a list of edges,
as of `torch-geometric`, would only be longer.
"""

from dataclasses import dataclass, field
from functools import singledispatch

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.encoders.network import FEATURES, NetworkEncoder
from wsr.encoders.scaling import TensorScale
from wsr.fields.lora import Adapter
from wsr.fields.mlp import StandaloneMLP
from wsr.fields.representation import Representation

WIDTH, ROUNDS = 16, 2


@dataclass(frozen=True)
class Graph:
    """sizes: of the layers of nodes; named: which layers have nodes with names; blocks: for each matrix the layer of
    its columns and that of its rows; biases: the layer that a vector belongs to."""

    sizes: list[int]
    named: set[int]
    blocks: dict[str, tuple[int, int]]
    biases: dict[str, int] = field(default_factory=dict)


@singledispatch
def graph_of(model: Representation) -> Graph | None:
    """Returns the graph of a representation. A class of representations registers its own (`graph_of.register(Class)`);
    None without one."""
    return None


@graph_of.register
def _(model: StandaloneMLP):
    sizes = [model.dim, *[model.width] * 4, model.config.outputs]
    blocks = {"fourier.weight": (0, 1), "output.weight": (4, 5)}
    biases = {"fourier.phase": 1, "output.bias": 5}
    for layer in range(3):
        blocks[f"hidden.{layer}.weight"] = (layer + 1, layer + 2)
        biases[f"hidden.{layer}.bias"] = layer + 2
    return Graph(sizes, {0, 5}, blocks, biases)


@graph_of.register
def _(model: Adapter):
    channels, blocks = model.config.channels, {}
    for layer in range(model.layers):  # channels, rank components, channels, …
        blocks[f"layers.{layer}.A"] = (2 * layer, 2 * layer + 1)
        blocks[f"layers.{layer}.B"] = (2 * layer + 1, 2 * layer + 2)
    sizes = [channels, *[model.rank, channels] * model.layers]
    return Graph(sizes, set(range(0, len(sizes), 2)), blocks)


class GraphMetanetwork(NetworkEncoder):
    """Message passing over the graph of an instance."""

    epochs, batch = 6, 16

    @classmethod
    def refusal(cls, model):
        if graph_of(model) is not None:
            return ""
        return f"Nobody has written down which graph an instance of {model.kind.label} is."

    def build(self, weights):
        return _Messages(self.model, weights)


class _Messages(nn.Module):
    def __init__(self, model: Representation, weights: Float[Tensor, "n p"]):
        super().__init__()
        self.model, self.graph = model, graph_of(model)
        self.scale = TensorScale(model.layout.unflatten(weights))
        sizes, blocks = self.graph.sizes, self.graph.blocks
        self.names = nn.ParameterList(
            torch.randn(size if i in self.graph.named else 1, WIDTH) for i, size in enumerate(sizes)
        )
        self.bias = nn.Linear(1, WIDTH, bias=False)
        self.first = nn.Linear(1, WIDTH, bias=False)
        self.kinds = nn.Parameter(0.3 * torch.randn(len(blocks), WIDTH))
        self.rounds = nn.ModuleList(_Round() for _ in range(ROUNDS))
        pooled = len(sizes) * WIDTH
        self.read = nn.Sequential(nn.BatchNorm1d(pooled), nn.Linear(pooled, FEATURES))

    def forward(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n e"]:
        t = self.scale(self.model.layout.unflatten(weights))
        pairs = list(self.graph.blocks.values())
        kinds = zip(self.graph.blocks, self.kinds, strict=True)
        edges = [self.first(t[name][..., None]) + kind for name, kind in kinds]
        nodes = [name.expand(len(weights), size, -1) for name, size in zip(self.names, self.graph.sizes, strict=True)]
        for name, layer in self.graph.biases.items():
            nodes[layer] = nodes[layer] + self.bias(t[name][..., None])
        for one in self.rounds:
            edges, nodes = one(pairs, edges, nodes)
        return self.read(torch.cat([layer.mean(1) for layer in nodes], 1))


class _Round(nn.Module):
    """One round of messages, with the same parameters along all edges: each edge is updated from itself and its two
    nodes, then each node from the means of the edges on both sides."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.edge, self.source, self.target = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.into, self.out_of, self.own = (nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(
        self, pairs: list[tuple[int, int]], edges: list[Tensor], nodes: list[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        normed = [self.norm(one) for one in nodes]
        gained = [self.own(one) for one in normed]
        updated = []
        for (source, target), edge in zip(pairs, edges, strict=True):
            ends = self.target(normed[target])[:, :, None] + self.source(normed[source])[:, None]  # (n, o, i, w)
            edge = torch.relu(self.edge(edge) + ends)
            updated.append(edge)
            gained[target] = gained[target] + self.into(edge.mean(2))
            gained[source] = gained[source] + self.out_of(edge.mean(1))
        return updated, [one + torch.relu(gain) for one, gain in zip(nodes, gained, strict=True)]
