"""Canonical forms: one representative of all weights that describe the same field.

The form depends on the symmetries that the representation allows (`RepresentationKind.allowed`); if it allows none,
weights are their own canonical form. All functions work on batches and are idempotent.
"""

from functools import singledispatch

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.fields.lora import Adapter, AdditiveLoRA
from wsr.fields.neurons import NeuronChain
from wsr.fields.representation import Representation


def canonical(model: Representation, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
    """Converts stored weights to their canonical form, which describes the same field.

    LoRA: the balanced singular value decomposition of B A, which removes all of GL(r). mLoRA: fixed sign and scale of
    each rank pair (`balance`); the permutation symmetry of an unmasked mLoRA remains, and only `align` can remove it
    relative to another fit. Standalone MLPs and imported networks: ReLU neurons have incoming weights of norm 1, sine
    neurons a positive first weight; permutations remain. If the mask allows no symmetry, weights are returned
    unchanged.
    """
    return canonical_form(model, weights) if model.kind.allowed else weights


@singledispatch
def canonical_form(model: Representation, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
    """Does the work of `canonical` for a representation that allows symmetries. A class of representations registers
    its own form (`canonical_form.register(Class)`); without one, weights are returned unchanged."""
    return weights


@canonical_form.register
def _(model: Adapter, weights):
    a, b = model.pairs(model.layout.fill(weights))
    return model.layout.strip(model.joined(*balance(a, b)))


@canonical_form.register
def _(model: AdditiveLoRA, weights):
    a, b = model.pairs(model.layout.fill(weights))
    return model.layout.strip(model.joined(*balanced_svd(a, b)))


def balance(
    a: Float[Tensor, "l n r c"], b: Float[Tensor, "l n c r"]
) -> tuple[Float[Tensor, "l n r c"], Float[Tensor, "l n c r"]]:
    """Scales each pair (a_i, b_i) to equal norms, with the sign that makes the sum of a_i positive. Pairs with a zero
    half keep their scale."""
    norm_a, norm_b = a.norm(dim=-1), b.norm(dim=-2)  # (l, n, r)
    factor = torch.where((norm_a > 0) & (norm_b > 0), (norm_b / norm_a.clamp_min(1e-30)).sqrt(), 1.0)
    factor = factor * torch.where(a.sum(-1) < 0, -1.0, 1.0)
    return a * factor[..., None], b / factor[..., None, :]


def balanced_svd(
    a: Float[Tensor, "l n r c"], b: Float[Tensor, "l n c r"]
) -> tuple[Float[Tensor, "l n r c"], Float[Tensor, "l n c r"]]:
    """Returns B A = U S Vᵀ as B = U √S and A = √S Vᵀ: orthogonal components in order of decreasing singular values,
    with equal norms and the sign that makes the sum of a_i positive. Computed from the small factors, without forming B
    A."""
    q_b, r_b = torch.linalg.qr(b.double())  # (l, n, c, r), (l, n, r, r)
    q_a, r_a = torch.linalg.qr(a.double().mT)
    u, s, v = torch.linalg.svd(r_b @ r_a.mT)  # B A = Q_b (R_b R_aᵀ) Q_aᵀ
    root = s.sqrt()
    a_new, b_new = root[..., None] * (v @ q_a.mT), (q_b @ u) * root[..., None, :]
    sign = torch.where(a_new.sum(-1) < 0, -1.0, 1.0)
    return (a_new * sign[..., None]).to(a.dtype), (b_new * sign[..., None, :]).to(b.dtype)


@canonical_form.register
def _(model: NeuronChain, weights):
    t = dict(model.layout.unflatten(weights))
    for layer in model.neurons():
        if layer.odd:
            factor = torch.where(t[layer.weight][..., 0] < 0, -1.0, 1.0)  # (n, N)
        else:
            norm = t[layer.weight].norm(dim=-1)  # (n, N)
            factor = torch.where(norm > 0, norm, 1.0)
        t[layer.weight], t[layer.bias] = t[layer.weight] / factor[..., None], t[layer.bias] / factor
        t[layer.after] = t[layer.after] * factor[:, None]
    return model.layout.flatten(t)
