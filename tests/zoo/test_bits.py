"""Packing codes of a few bits is lossless, and quantization loses at most half a step, or what it clips."""

import pytest
import torch

from wsr.zoo.bits import dequantize, pack, quantize, unpack


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("size", [1, 3, 8, 41])
def test_packing_loses_nothing_and_rows_can_be_read_alone(bits, size):
    codes = torch.randint(0, 2**bits, (5, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(bits))
    packed = pack(codes, bits)
    assert packed.dtype == torch.uint8 and packed.shape == (5, -(-size * bits // 8))
    assert torch.equal(unpack(packed, size, bits), codes)
    assert torch.equal(unpack(packed[2:3], size, bits), codes[2:3])


@pytest.mark.parametrize("bits", range(3, 9))
def test_more_bits_lose_less_and_zeros_stay_zeros(bits):
    rows = torch.randn(20, 400, generator=torch.Generator().manual_seed(0)) * torch.logspace(-3, 3, 20)[:, None]
    rows[4] = 0.0

    def lost(bits):
        codes, step = quantize(rows, bits)
        found = dequantize(codes, step, bits)
        assert torch.equal(found[4], rows[4])
        return ((found - rows).square().sum(1) / rows.square().sum(1).clamp_min(1e-12)).mean()

    assert lost(bits) < 0.5 * lost(bits - 1)
