"""Alignment: among all weights that describe the same field as one fit, finds those nearest to another fit.

Only symmetries that the mask allows are used, and none is applied that would increase the L2 distance.
"""

from functools import singledispatch

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from wsr.fields.lora import Adapter
from wsr.fields.neurons import NeuronChain, NeuronLayer
from wsr.fields.representation import Representation

SWEEPS = 50  # maximal number of sweeps over the layers; usually nothing changes after 5 to 10


def align(
    model: Representation, weights: Float[Tensor, "n p"], reference: Float[Tensor, "n p"]
) -> Float[Tensor, "n p"]:
    """Transforms each row of `weights`, without changing its field, to be near the same row of `reference`.

    Adapters: rank components are assigned one to one (only if no mask fixes their order), each with the sign and scale
    that bring it nearest. Standalone MLPs: weight matching over neuron permutations and Fourier signs (Git Re-Basin,
    layer by layer). If the mask allows no symmetry, weights are returned unchanged. The L2 distance never increases.
    """
    if not model.kind.allowed:
        return weights
    moved = matched(model, weights, reference)
    nearer = (moved - reference).norm(dim=1) < (weights - reference).norm(dim=1)
    return torch.where(nearer[:, None], moved, weights)


@singledispatch
def matched(
    model: Representation, weights: Float[Tensor, "n p"], reference: Float[Tensor, "n p"]
) -> Float[Tensor, "n p"]:
    """Does the work of `align`, but may increase the distance. A class of representations registers its own way
    (`matched.register(Class)`); without one, weights are returned unchanged."""
    return weights


@matched.register
def _(model: Adapter, weights, reference):
    a, b = model.pairs(model.layout.fill(weights))  # (l, n, r, c), (l, n, c, r)
    a_ref, b_ref = model.pairs(model.layout.fill(reference))
    products = (a_ref @ a.mT, b_ref.mT @ b)  # (l, n, r, r): each reference component with each component
    norms = (a.square().sum(-1)[..., None, :], b.square().sum(-2)[..., None, :])  # (l, n, 1, r)
    factor, gain = _best_factor(*products, *norms)  # (l, n, r, r)
    if "permutation" in model.kind.allowed:
        order = _assign(gain)
    else:
        order = torch.arange(model.rank, device=a.device).expand(gain.shape[:-1])
    chosen = factor.gather(-1, order[..., None])[..., 0]  # (l, n, r)
    a = a.gather(-2, order[..., None].expand_as(a)) * chosen[..., None]
    b = b.gather(-1, order[..., None, :].expand_as(b)) / chosen[..., None, :]
    return model.layout.strip(model.joined(a, b))


def _best_factor(
    aa: Float[Tensor, "*s"], bb: Float[Tensor, "*s"], na: Float[Tensor, "*t"], nb: Float[Tensor, "*t"]
) -> tuple[Float[Tensor, "*s"], Float[Tensor, "*s"]]:
    """Returns the factor c ≠ 0 that minimises |a' − c a|² + |b' − b/c|², and how much smaller than |a'|² + |b'|² the
    minimum is.

    Arguments are the products aa = ⟨a', a⟩, bb = ⟨b', b⟩ and the squared norms of a and b. The roots of the derivative,
    c⁴|a|² − c³ aa + c bb − |b|² = 0, are eigenvalues of its companion matrix; c = ±1 are candidates too.
    """
    na, nb = na.expand_as(aa).clamp_min(1e-12), nb.expand_as(bb)
    companion = torch.zeros(*aa.shape, 4, 4, dtype=torch.float64, device=aa.device)
    companion[..., 0, :] = torch.stack([aa, torch.zeros_like(aa), -bb, nb], -1).double() / na[..., None]
    companion[..., 1:, :3] = torch.eye(3, dtype=torch.float64, device=aa.device)
    roots = torch.linalg.eigvals(companion).real.to(aa)  # the real parts of complex roots are harmless candidates
    c = torch.cat([roots, torch.ones_like(roots[..., :1]), -torch.ones_like(roots[..., :1])], -1)  # (*s, 6)
    c = torch.where(c.abs() < 1e-3, torch.ones_like(c), c)
    aa, bb, na, nb = (x[..., None] for x in (aa, bb, na, nb))
    gain = 2 * c * aa - c.square() * na + 2 * bb / c - nb / c.square()
    best = gain.argmax(-1, keepdim=True)
    return c.gather(-1, best)[..., 0], gain.gather(-1, best)[..., 0]


def _assign(gain: Float[Tensor, "*s r r"]) -> Int[Tensor, "*s r"]:
    """Returns the one-to-one assignment of columns to rows with the largest sum."""
    table = gain.detach().cpu().numpy().reshape(-1, *gain.shape[-2:])
    found = np.stack([linear_sum_assignment(one, maximize=True)[1] for one in table])
    return torch.from_numpy(found).to(gain.device).reshape(gain.shape[:-1])


@matched.register
def _(model: NeuronChain, weights, reference):
    pairs = zip(weights.split(1), reference.split(1), strict=True)
    return torch.cat([_match_neurons(model, one, other) for one, other in pairs])


def _match_neurons(
    model: NeuronChain, weights: Float[Tensor, "1 p"], reference: Float[Tensor, "1 p"]
) -> Float[Tensor, "1 p"]:
    """Finds permutations and signs by coordinate descent over the layers: the best permutation of a layer (with signs
    in a layer of sines), given the others, solves an assignment problem. Since it ends in a local optimum, it
    starts twice: at the weights as they are, and after matching each layer by its incoming weights only, which recovers
    a pure permutation."""
    ref, layers, found = _arrays(model, reference), model.neurons(), []
    for forward in (False, True):
        t = _arrays(model, weights)
        if forward:
            for layer in layers:
                _match_layer(t, ref, layer, outgoing=False)
        for _ in range(SWEEPS):
            if not any([_match_layer(t, ref, layer) for layer in layers]):
                break
        found.append(t)
    t = min(found, key=lambda t: sum(np.square(t[name] - ref[name]).sum() for name in t))
    return model.layout.flatten({name: torch.from_numpy(value)[None].to(weights) for name, value in t.items()})


def _arrays(model: NeuronChain, weights: Float[Tensor, "1 p"]) -> dict[str, np.ndarray]:
    return {name: value[0].double().cpu().numpy() for name, value in model.layout.unflatten(weights).items()}


def _match_layer(
    t: dict[str, np.ndarray], ref: dict[str, np.ndarray], layer: NeuronLayer, outgoing: bool = True
) -> bool:  # fmt: skip
    """Permutes the neurons of one layer, in place, to match the reference best, and returns whether that decreased the
    distance. `outgoing`: whether the outgoing weights count besides the incoming ones."""
    own, after, k = (layer.weight, layer.bias), layer.after, layer.width
    gain = sum(ref[name].reshape(k, -1) @ t[name].reshape(k, -1).T for name in own)  # (k, k)
    if outgoing:
        gain = gain + ref[after].T @ t[after]
    sign = np.where(gain < 0, -1.0, 1.0) if layer.odd else np.ones_like(gain)  # sin(−x) = −sin(x)
    order = linear_sum_assignment(gain * sign, maximize=True)[1]
    chosen = np.arange(k), order
    nearer = (gain * sign)[chosen].sum() > np.trace(gain) + 1e-9 * np.abs(gain).sum()
    if nearer:
        for name in own:
            t[name] = (t[name][order].T * sign[chosen]).T
        t[after] = t[after][:, order] * sign[chosen]
    return bool(nearer)
