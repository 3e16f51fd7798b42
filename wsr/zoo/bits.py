"""Packs integers of a few bits into bytes, for compressed zoos and generators."""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

TINY = torch.finfo(torch.float32).tiny
CLIPS = (1.0, 0.9, 0.8, 0.7, 0.6)  # candidates for the largest quantized value, as fractions of a row's maximum


def pack(codes: UInt8[Tensor, "n m"], bits: int) -> UInt8[Tensor, "n b"]:
    """Packs codes below 2^bits. Each row starts at a new byte, so that single rows can be read."""
    if bits == 8:
        return codes.contiguous()
    each = np.unpackbits(codes.numpy()[..., None], axis=-1)[..., 8 - bits :]  # (n, m, bits)
    return torch.from_numpy(np.packbits(each.reshape(len(codes), -1), axis=-1))


def unpack(packed: UInt8[Tensor, "n b"], size: int, bits: int) -> UInt8[Tensor, "n m"]:
    """Inverts `pack` for rows of `size` codes."""
    if bits == 8:
        return packed
    each = np.unpackbits(packed.numpy(), axis=-1, count=size * bits).reshape(len(packed), size, bits)
    full = np.concatenate([np.zeros((*each.shape[:2], 8 - bits), np.uint8), each], -1)
    return torch.from_numpy(np.packbits(full, axis=-1)[..., 0])


def quantize(rows: Float[Tensor, "n m"], bits: int) -> tuple[UInt8[Tensor, "n m"], Float[Tensor, "n 1"]]:
    """Quantizes each row to 2^bits − 1 values evenly spaced around 0, and returns the codes and each row's step. The
    largest value is the fraction of the row's maximum that minimises the mean squared error. `dequantize` inverts
    it."""
    half = 2 ** (bits - 1)
    largest = rows.abs().amax(1, keepdim=True)
    best, kept, least = None, None, None
    for clip in CLIPS:
        step = (clip * largest / (half - 1)).clamp_min(TINY)
        codes = (rows / step).round().clamp(1 - half, half - 1)
        lost = (codes * step - rows).square().sum(1, keepdim=True)
        if best is None:
            best, kept, least = codes, step, lost
        else:
            better = lost < least
            best, kept, least = (torch.where(better, *pair) for pair in ((codes, best), (step, kept), (lost, least)))
    return (best + half).to(torch.uint8), kept


def dequantize(codes: UInt8[Tensor, "n m"], step: Float[Tensor, "n 1"], bits: int) -> Float[Tensor, "n m"]:
    """Inverts `quantize`, up to the quantization error."""
    return (codes.float() - 2 ** (bits - 1)) * step
