"""Group actions on weights: what may be done to them while the field stays the same (section 3.4, theorems 1 and 2).

All work on full vectors (n, total), with their frozen entries in place (`layout.fill`), because most of them leave the
set that a mask allows: `violations` says where. `Representation.unmasked` evaluates and decodes the result.
"""

from functools import singledispatch

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.lora import Adapter
from wsr.fields.mlp import StandaloneMLP
from wsr.fields.representation import Representation


def change_basis(model: Adapter, full: Float[Tensor, "n t"], g: Float[Tensor, "l r r"]) -> Float[Tensor, "n t"]:
    """(A, B) → (G A, B G⁻¹) in each layer: B A, and with it the field, stays. Permutation matrices, and diagonal ones
    (sign, scale), are cases of it."""
    a, b = model.pairs(full)  # (l, n, r, c), (l, n, c, r)
    return model.joined(g[:, None] @ a, b @ torch.linalg.inv(g)[:, None])


def move_neurons(
    model: StandaloneMLP, full: Float[Tensor, "n t"], order: Int[Tensor, "4 k"], factor: Float[Tensor, "4 k"]
) -> Float[Tensor, "n t"]:
    """Neuron i of each layer (the Fourier layer, then three hidden ones) is from now on its neuron order[i], times
    factor[i], and the next layer's columns follow. A factor must be ±1 in the Fourier layer, sin(−x) = −sin(x), and
    positive in the hidden ones, relu(c x) = c relu(x). WsrError for others."""
    if not ((factor[0].abs() == 1).all() and (factor[1:] > 0).all()):
        raise WsrError("Neurons of the Fourier layer may change sign only, hidden ones be scaled by c > 0 only.")
    layout = model.layout.unmasked()
    t = dict(layout.unflatten(full))
    for layer in range(4):
        weight, bias, after = around(layer)
        t[weight] = t[weight][:, order[layer]] * factor[layer][:, None]
        t[bias] = t[bias][:, order[layer]] * factor[layer]
        t[after] = t[after][..., order[layer]] / factor[layer]
    return layout.flatten(t)


def around(layer: int) -> tuple[str, str, str]:
    """Of an MLP's layer (0: Fourier, then hidden): the weight and bias whose rows are its neurons, and the weight whose
    columns read them."""
    if layer == 0:
        return "fourier.weight", "fourier.phase", "hidden.0.weight"
    after = f"hidden.{layer}.weight" if layer < 3 else "output.weight"
    return f"hidden.{layer - 1}.weight", f"hidden.{layer - 1}.bias", after


def act(
    model: Representation, full: Float[Tensor, "n t"], kind: str, seed: int = 0, strength: float = 1.0
) -> Float[Tensor, "n t"]:
    """A random element of a group acts on the weights, the same for all n: a permutation that moves something, signs,
    scales exp(strength · N(0, 1)), or a change of basis. WsrError for a symmetry that the representation does not
    have."""
    if kind not in model.kind.symmetries:
        raise unknown_name(f"action on {model.name!r}", kind, model.kind.symmetries)
    return acted(model, full, kind, torch.Generator().manual_seed(seed), strength)


@singledispatch
def acted(
    model: Representation, full: Float[Tensor, "n t"], kind: str, generator: torch.Generator, strength: float
) -> Float[Tensor, "n t"]:
    """`act` with a random element drawn from `generator`. A class of representations that has symmetries registers how
    they act: `acted.register(Class)`."""
    raise NotImplementedError(f"{type(model).__name__} states symmetries and does not say how they act.")


@acted.register
def _(model: Adapter, full, kind, generator, strength):
    layers, rank = model.layers, model.rank
    if kind == "basis":
        g = random_basis(layers, rank, generator, strength)
    else:
        order, factor = _drawn(layers, rank, kind, generator, strength)
        g = torch.diag_embed(factor) @ torch.eye(rank)[order]  # (l, r, r)
    return change_basis(model, full, g.to(full))


@acted.register
def _(model: StandaloneMLP, full, kind, generator, strength):
    order, factor = _drawn(4, model.width, kind, generator, strength)
    neurons = torch.arange(4)[:, None] == 0  # signs are the Fourier layer's, scales the hidden layers'
    factor = torch.where(neurons == (kind == "sign"), factor, 1.0)
    return move_neurons(model, full, order.to(full.device), factor.to(full))


def _drawn(
    layers: int, width: int, kind: str, generator: torch.Generator, strength: float
) -> tuple[Int[Tensor, "l k"], Float[Tensor, "l k"]]:
    """For each layer an order and factors of its `width` parts; what `kind` does not move stays."""
    order = torch.arange(width).expand(layers, -1)
    factor = torch.ones(layers, width)
    if kind == "permutation" and width > 1:
        order = torch.stack([_moving(width, generator) for _ in range(layers)])
    elif kind == "sign":
        factor = torch.randint(0, 2, (layers, width), generator=generator) * 2.0 - 1
        factor[:, 0] = -1  # at least one
    elif kind == "scale":
        factor = torch.exp(strength * torch.randn(layers, width, generator=generator))
    return order, factor


def permuted_copies(
    model: Representation, weights: Float[Tensor, "n p"], times: int, seed: int = 0
) -> Float[Tensor, "m p"]:
    """Each of the stored vectors `times` times, m = n · times: first as they are, then with their rank components or
    neurons in a random order, each in its own. The augmentation of G.pt and Hyper-Representations. WsrError where the
    mask forbids it."""
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


def random_basis(layers: int, rank: int, generator: torch.Generator, strength: float = 1.0) -> Float[Tensor, "l r r"]:
    """An element of GL(r) a layer: an orthogonal matrix, and along its axes scales exp(strength · N(0, 1)/2), so that
    it can be inverted without losing digits."""
    q = torch.linalg.qr(torch.randn(layers, rank, rank, generator=generator)).Q
    scales = torch.exp(0.5 * strength * torch.randn(layers, 1, rank, generator=generator))
    return q * scales @ q.mT @ torch.linalg.qr(torch.randn(layers, rank, rank, generator=generator)).Q


def _moving(width: int, generator: torch.Generator) -> Int[Tensor, "k"]:
    order = torch.randperm(width, generator=generator)
    return order if (order != torch.arange(width)).any() else order.roll(1)


def violations(model: Representation, full: Float[Tensor, "n t"]) -> Bool[Tensor, "n t"]:
    """Entries that the mask has frozen and that do not hold their frozen value."""
    frozen = torch.ones(model.layout.total, dtype=torch.bool, device=full.device)
    frozen[model.layout.trained] = False
    return frozen & (full != model.layout.template.to(full))


def remask(model: Representation, full: Float[Tensor, "n t"]) -> Float[Tensor, "n t"]:
    """The frozen entries put back to their values: the nearest allowed weights."""
    return model.layout.fill(model.layout.strip(full))
