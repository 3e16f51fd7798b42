"""The synthesis layers of n fields at once, with a hand-written gradient (section 8.2, figure 7b).

Fits spend most of their time here. Autograd over composed operations stores several copies of each activation and each
matrix, and on a CPU writing these costs more than the matrix products.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

EPS = 1e-8  # ε of the demodulation, section 8.2
GAIN = math.sqrt(2)  # keeps the second moment of unit inputs through a ReLU
HALF = math.sqrt(0.5)  # factor of the residual connection, (x + h)/√2


def demodulate(matrices: Float[Tensor, "*n o i"], gain: float = GAIN) -> Float[Tensor, "*n o i"]:
    """Scales each output row to the norm `gain` (section 8.2)."""
    return matrices * (matrices.square().sum(-1, keepdim=True) + EPS).rsqrt() * gain


@dataclass(frozen=True)
class Modulation:
    """The matrices of l layers of n fields, before demodulation: W ⊙ (B A) with a shared W (equation 3), or W + B A if
    `additive` (equation 2). Modulation by a style s is the rank-one case A = s, B = 1."""

    weight: Float[Tensor, "l c c"]
    a: Float[Tensor, "l n r c"]
    b: Float[Tensor, "l n c r"]
    additive: bool = False

    def matrices(self) -> Float[Tensor, "l n c c"]:
        """Returns the matrices W' of all layers and fields."""
        product, weight = self.b @ self.a, self.weight[:, None]
        return weight + product if self.additive else weight * product


def synthesize(h: Float[Tensor, "n p c"], modulation: Modulation, bias: Float[Tensor, "l c"]) -> Float[Tensor, "n p c"]:
    """Applies blocks of two layers relu(demodulate(W') h + bias), each block with a residual connection (x + h)/√2, to
    features h. Matrix products are in the dtype of h. Differentiable once, in all inputs."""
    m = modulation
    if torch.compiler.is_compiling():
        return composed(h, m, bias)
    return _Synthesis.apply(h, m.a, m.b, m.weight, bias, m.additive, torch.is_grad_enabled())


def composed(h: Float[Tensor, "n p c"], modulation: Modulation, bias: Float[Tensor, "l c"]) -> Float[Tensor, "n p c"]:
    """Computes the same as `synthesize` from plain operations, for `torch.compile`. The compiler derives the gradient
    and the kernels itself and makes one graph of a step; it cannot look into the hand-written gradient and would leave
    all layers uncompiled."""
    m, low, y = modulation, bias.to(h.dtype), h
    for k in range(len(m.a)):
        half = HALF if k % 2 else 1.0
        product = m.b[k] @ m.a[k]  # (n, o, i)
        matrices = product + m.weight[k] if m.additive else product * m.weight[k]
        rows = demodulate(matrices, GAIN * half).to(h.dtype)
        y = torch.relu(torch.baddbmm(low[k] * half, y if k % 2 else h, rows.mT))  # (n, p, o)
        if k % 2:
            h = torch.add(y, h, alpha=HALF)
    return h


class _Synthesis(torch.autograd.Function):
    """Multiplies the factor 1/√2 of the residual into the second layer of each block, which is allowed because a ReLU
    is positively homogeneous: this saves a pass over the activations."""

    @staticmethod
    def forward(ctx, h, a, b, weight, bias, additive, keep):
        kept, low = [], bias.to(h.dtype)
        y = h
        for k in range(len(a)):
            half = HALF if k % 2 else 1.0
            matrices = torch.bmm(b[k], a[k])  # (n, o, i)
            matrices = matrices.add_(weight[k]) if additive else matrices.mul_(weight[k])
            scale = torch.linalg.vector_norm(matrices, dim=-1, keepdim=True)
            scale = scale.square_().add_(EPS).rsqrt_().mul_(GAIN * half)  # (n, o, 1)
            rows = matrices.mul_(scale).to(h.dtype)
            x = y if k % 2 else h
            y = torch.bmm(x, rows.mT).add_(low[k], alpha=half).relu_()  # (n, p, o)
            if keep:
                kept.append((x, y, rows, scale))
            if k % 2:
                h = torch.add(y, h, alpha=HALF)
        ctx.kept, ctx.additive = kept, additive
        ctx.save_for_backward(a, b, weight)
        return h

    @staticmethod
    def backward(ctx, grad):
        a, b, weight = ctx.saved_tensors
        kept, ctx.kept = ctx.kept, None  # its tensors are overwritten below
        needs_weight, needs_bias = ctx.needs_input_grad[3:5]
        d_a, d_b = torch.empty_like(a), torch.empty_like(b)
        d_weight = torch.empty_like(weight) if needs_weight else None
        d_bias = weight.new_empty(weight.shape[:2]) if needs_bias else None
        for k in reversed(range(len(a))):
            x, y, rows, scale = kept.pop()
            half = HALF if k % 2 else 1.0
            if k % 2:
                skipped, out = grad, y  # autograd may still need the incoming gradient: it must not be overwritten
            else:
                out = grad
            grad = torch.ops.aten.threshold_backward.grad_input(grad, y, 0, grad_input=out)
            if needs_bias:
                torch.sum(grad, (0, 1), dtype=weight.dtype, out=d_bias[k]).mul_(half)
            d = torch.bmm(grad.mT, x).to(a.dtype)  # (n, o, i)
            if k or ctx.needs_input_grad[0]:
                grad = torch.bmm(grad, rows)
                if not k % 2:
                    grad.add_(skipped, alpha=HALF)
            # subtracts the component that changes a row's norm, since demodulation fixes that norm
            rows = rows.to(a.dtype)
            along = torch.linalg.vecdot(d, rows)[..., None].div_((GAIN * half) ** 2)
            d.addcmul_(rows, along, value=-1).mul_(scale)
            if needs_weight:
                torch.sum(d if ctx.additive else d * torch.bmm(b[k], a[k]), 0, out=d_weight[k])
            if not ctx.additive:
                d.mul_(weight[k])
            torch.bmm(b[k].mT, d, out=d_a[k])
            torch.bmm(d, a[k].mT, out=d_b[k])
        return grad if ctx.needs_input_grad[0] else None, d_a, d_b, d_weight, d_bias, None, None
