"""Measures the machine's rate of matrix products, with which all speeds are compared."""

import statistics
import time

import torch

from wsr.devices import synchronize

SHAPE = (16, 1024, 128)  # instances, points, channels: the batched product of a fit at the `cpu` preset


def product_rate(
    dtype: torch.dtype, device: str = "cpu", seconds: float = 2.0, *, shape: tuple[int, int, int] = SHAPE
) -> float:
    """Rate of (16, 1024, 128) × (16, 128, 128), or of another `shape`, over `seconds`, in FLOP/s (a multiply-add is
    two): the median over short intervals, since a fit also runs at the machine's usual speed and not its best."""
    n, points, channels = shape
    a = torch.randn(n, points, channels, device=device).to(dtype)
    b = torch.randn(n, channels, channels, device=device).to(dtype)
    out = torch.empty_like(a)
    work, found, until = 2 * n * points * channels**2, [], time.perf_counter() + seconds
    while time.perf_counter() < until:
        synchronize(device)
        begun = time.perf_counter()
        for _ in range(20):
            torch.bmm(a, b, out=out)
        synchronize(device)
        found.append(20 * work / (time.perf_counter() - begun))
    return statistics.median(found)


def fit_flops(layers: int, channels: int, points: int) -> float:
    """Returns the floating-point operations in the matrix products of one step, for each instance: forward, backward to
    the activations, and backward to the matrices. All other operations are left out; the products that build W' are
    three orders of magnitude smaller."""
    return 3 * 2.0 * layers * channels**2 * points
