"""Group actions that change the weights but not the field (section 3.4, theorems 1 and 2).

All functions take full vectors (n, total), with their frozen entries in place (`layout.fill`), because most actions
leave the set of weights that a mask allows; `violations` tells where. `Representation.unmasked` evaluates and decodes
the result.
"""

from collections.abc import Sequence
from functools import singledispatch

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.lora import Adapter
from wsr.fields.mlp import StandaloneMLP
from wsr.fields.neurons import NeuronChain
from wsr.fields.representation import Representation


def change_basis(model: Adapter, full: Float[Tensor, "n t"], g: Float[Tensor, "l r r"]) -> Float[Tensor, "n t"]:
    """Maps (A, B) → (G A, B G⁻¹) in each layer, which changes neither B A nor the field. Permutation matrices, and
    diagonal matrices (signs, scales), are special cases."""
    a, b = model.pairs(full)  # (l, n, r, c), (l, n, c, r)
    return model.joined(g[:, None] @ a, b @ torch.linalg.inv(g)[:, None])


def move_neurons(
    model: StandaloneMLP, full: Float[Tensor, "n t"], order: Int[Tensor, "4 k"], factor: Float[Tensor, "4 k"]
) -> Float[Tensor, "n t"]:
    """Replaces neuron i of each layer (the Fourier layer, then three hidden ones) by neuron order[i], multiplied by
    factor[i], and adapts the columns of the next layer. A factor must be ±1 in the Fourier layer, since sin(−x) =
    −sin(x), and positive in the hidden layers, since relu(c x) = c relu(x) for c > 0. WsrError for other factors."""
    if not ((factor[0].abs() == 1).all() and (factor[1:] > 0).all()):
        raise WsrError("Neurons of the Fourier layer may change sign only, hidden ones be scaled by c > 0 only.")
    return _moved(model, full, list(order), list(factor))


def _moved(
    model: NeuronChain, full: Float[Tensor, "n t"], order: Sequence[Int[Tensor, "_"]],
    factor: Sequence[Float[Tensor, "_"]],
) -> Float[Tensor, "n t"]:  # fmt: skip
    """Does the work of `move_neurons` for any chain of layers, without checking the factors."""
    layout = model.layout.unmasked()
    t = dict(layout.unflatten(full))
    for layer, rows, factors in zip(model.neurons(), order, factor, strict=True):
        t[layer.weight] = t[layer.weight][:, rows] * factors[:, None]
        t[layer.bias] = t[layer.bias][:, rows] * factors
        t[layer.after] = t[layer.after][..., rows] / factors
    return layout.flatten(t)


def act(
    model: Representation, full: Float[Tensor, "n t"], kind: str, seed: int = 0, strength: float = 1.0
) -> Float[Tensor, "n t"]:
    """Applies a random element of a group to the weights, the same for all n: a permutation other than the identity,
    signs, scales exp(strength · N(0, 1)), or a change of basis. kind: one of the representation's symmetries; WsrError
    for others."""
    if kind not in model.kind.symmetries:
        raise unknown_name(f"action on {model.name!r}", kind, model.kind.symmetries)
    return acted(model, full, kind, torch.Generator().manual_seed(seed), strength)


@singledispatch
def acted(
    model: Representation, full: Float[Tensor, "n t"], kind: str, generator: torch.Generator, strength: float
) -> Float[Tensor, "n t"]:
    """Does the work of `act`, with a random element drawn from `generator`. A class of representations that has
    symmetries registers how they act: `acted.register(Class)`."""
    raise NotImplementedError(f"{type(model).__name__} states symmetries and does not say how they act.")


@acted.register
def _(model: Adapter, full, kind, generator, strength):
    left, noise, right = drawn_element(model, kind, generator).values()
    return change_basis(model, full, (left * torch.exp(strength * noise)[:, None] @ right).to(full))


@acted.register
def _(model: StandaloneMLP, full, kind, generator, strength):
    order, sign, noise = drawn_element(model, kind, generator).values()
    return move_neurons(model, full, order.to(full.device), (sign * torch.exp(strength * noise)).to(full))


def element(model: Representation, kind: str, seed: int = 0) -> dict[str, Tensor]:
    """Returns the element that `act` applies, for programs that apply it without PyTorch; empty for a class of
    representations that does not say what its elements are.

    Of an adapter: G = left · diag(exp(strength · noise)) · right in each layer (`change_basis`), where left and right
    (l, r, r) are orthogonal and noise is (l, r). Of a standalone MLP: order, sign and noise (4, k), where the factors
    are sign · exp(strength · noise) (`move_neurons`). WsrError for an action that the representation does not have.
    """
    if kind not in model.kind.symmetries:
        raise unknown_name(f"action on {model.name!r}", kind, model.kind.symmetries)
    return drawn_element(model, kind, torch.Generator().manual_seed(seed))


@singledispatch
def drawn_element(model: Representation, kind: str, generator: torch.Generator) -> dict[str, Tensor]:
    """Does the work of `element`, with a random element drawn from `generator`. A class of representations registers
    its own (`drawn_element.register(Class)`)."""
    return {}


@drawn_element.register
def _(model: Adapter, kind, generator):
    layers, rank = model.layers, model.rank
    if kind == "basis":
        around, noise, turn = _basis(layers, rank, generator)
        return {"left": around, "noise": 0.5 * noise, "right": around.mT @ turn}
    order, sign, noise = _drawn(layers, rank, kind, generator)
    return {"left": torch.diag_embed(sign), "noise": noise, "right": torch.eye(rank)[order]}


@drawn_element.register
def _(model: StandaloneMLP, kind, generator):
    order, sign, noise = _drawn(4, model.width, kind, generator)
    # only Fourier neurons have signs, only hidden ones scales
    sign[1:], noise[0] = 1.0, 0.0
    return {"order": order, "sign": sign, "noise": noise}


@acted.register
def _(model: NeuronChain, full, kind, generator, strength):
    order, factor = [], []
    for layer in model.neurons():
        moves = kind == "permutation" or layer.odd == (kind == "sign")
        rows, sign, noise = _drawn(1, layer.width, kind if moves else "none", generator)
        order.append(rows[0].to(full.device))
        factor.append((sign * torch.exp(strength * noise))[0].to(full))
    return _moved(model, full, order, factor)


def _drawn(
    layers: int, width: int, kind: str, generator: torch.Generator
) -> tuple[Int[Tensor, "l k"], Float[Tensor, "l k"], Float[Tensor, "l k"]]:
    """Draws, for each layer, an order, signs and logarithms of scales of its `width` rank components or neurons; those
    that `kind` does not concern are the identity."""
    order = torch.arange(width).expand(layers, -1)
    sign, noise = torch.ones(layers, width), torch.zeros(layers, width)
    if kind == "permutation" and width > 1:
        order = torch.stack([_moving(width, generator) for _ in range(layers)])
    elif kind == "sign":
        sign = torch.randint(0, 2, (layers, width), generator=generator) * 2.0 - 1
        sign[:, 0] = -1  # at least one
    elif kind == "scale":
        noise = torch.randn(layers, width, generator=generator)
    return order, sign, noise


def permuted_copies(
    model: Representation, weights: Float[Tensor, "n p"], times: int, seed: int = 0
) -> Float[Tensor, "m p"]:
    """Returns `times` copies of each stored vector, m = n · times: first all vectors unchanged, then copies whose rank
    components or neurons are in random order, each in its own. This is the data augmentation of G.pt and
    Hyper-Representations. WsrError if the mask forbids permutations."""
    if times < 1:
        raise WsrError(f"Each weight is there at least once, not {times!r} times.")
    if times > 1 and "permutation" not in model.kind.allowed:
        raise WsrError(f"The mask of {model.name!r} fixes the order: permuted weights would leave it.")
    copies = [weights]
    for copy in range(1, times):
        seeds = range(seed + copy * len(weights), seed + (copy + 1) * len(weights))
        rows = zip(model.layout.fill(weights).split(1), seeds, strict=True)
        copies.append(torch.cat([model.layout.strip(act(model, row, "permutation", own)) for row, own in rows]))
    return torch.cat(copies)


def _basis(
    layers: int, rank: int, generator: torch.Generator
) -> tuple[Float[Tensor, "l r r"], Float[Tensor, "l r"], Float[Tensor, "l r r"]]:
    """Draws an element of GL(r) for each layer, q · diag(exp(strength/2 · noise)) · qᵀ · turn with orthogonal q and
    turn, so that it is well-conditioned. Returns q, noise and turn."""
    q = torch.linalg.qr(torch.randn(layers, rank, rank, generator=generator)).Q
    noise = torch.randn(layers, 1, rank, generator=generator)[:, 0]
    return q, noise, torch.linalg.qr(torch.randn(layers, rank, rank, generator=generator)).Q


def _moving(width: int, generator: torch.Generator) -> Int[Tensor, "k"]:
    order = torch.randperm(width, generator=generator)
    return order if (order != torch.arange(width)).any() else order.roll(1)


def violations(model: Representation, full: Float[Tensor, "n t"]) -> Bool[Tensor, "n t"]:
    """Marks the frozen entries that do not have the value at which the mask freezes them."""
    frozen = torch.ones(model.layout.total, dtype=torch.bool, device=full.device)
    frozen[model.layout.trained] = False
    return frozen & (full != model.layout.template.to(full))


def remask(model: Representation, full: Float[Tensor, "n t"]) -> Float[Tensor, "n t"]:
    """Resets the frozen entries to their values, which gives the nearest weights that the mask allows."""
    return model.layout.fill(model.layout.strip(full))
