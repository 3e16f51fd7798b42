import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wsr.errors import WsrError
from wsr.metrics import chamfer, iou, psnr

RNG = np.random.default_rng(0)


@given(st.floats(0.001, 1))
def test_psnr_of_a_constant_difference(difference):
    a = np.zeros((4, 5, 3))
    assert psnr(a, a + difference) == pytest.approx(-20 * np.log10(difference))


def test_psnr_of_batches_is_that_of_each():
    a, b = RNG.random((2, 3, 6, 6, 3))
    np.testing.assert_allclose(psnr(a, b), [psnr(x, y) for x, y in zip(a, b, strict=True)])
    np.testing.assert_allclose(psnr(a, b), psnr(b, a))
    assert psnr(a[0], a[0]) == np.inf and isinstance(psnr(a[0], b[0]), float)
    assert psnr(a[None], b[None]).shape == (1, 3)


def test_iou_by_hand():
    a, b = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert iou(a, b) == pytest.approx(1 / 3)
    assert iou(a, a) == 1 and iou(a, ~a) == 0 and iou(a & ~a, a & ~a) == 1


def test_iou_of_batches_and_grids():
    a, b = RNG.random((2, 3, 8, 8, 8)) > 0.5
    expected = [iou(x.ravel(), y.ravel()) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(iou(a, b), expected)
    np.testing.assert_allclose(iou(a.reshape(3, -1), b.reshape(3, -1)), expected)
    assert iou(a[0], b[0]) == pytest.approx(expected[0])
    assert iou(a[0].astype(int), b[0]) == pytest.approx(expected[0])


def test_chamfer_by_hand():
    x, y = np.zeros((1, 3)), np.array([[3.0, 4, 0], [0, 0, 1]])
    assert chamfer(x, y) == pytest.approx(1 + (5 + 1) / 2)
    assert chamfer(x, y, squared=True) == pytest.approx(1 + (25 + 1) / 2)


def test_chamfer_against_all_pairs():
    x, y = RNG.random((50, 3)), RNG.random((40, 3))
    pairs = np.linalg.norm(x[:, None] - y, axis=-1)
    assert chamfer(x, y) == pytest.approx(pairs.min(1).mean() + pairs.min(0).mean())
    assert chamfer(x, y) == pytest.approx(chamfer(y, x))
    assert chamfer(x, x[::-1]) == 0


def test_tensors_are_arrays():
    a, b = torch.rand(2, 4, 4, 3, requires_grad=True), torch.rand(2, 4, 4, 3)
    np.testing.assert_allclose(psnr(a, b), psnr(a.detach().numpy(), b.numpy()))
    assert psnr(a[0].bfloat16(), b[0].bfloat16()) == pytest.approx(psnr(a[0], b[0]), abs=0.1)
    assert chamfer(torch.zeros(1, 3), torch.ones(1, 3)) == pytest.approx(2 * 3**0.5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: psnr(np.zeros((4, 4, 3)), np.zeros((4, 5, 3))),
        lambda: psnr(np.zeros((4, 4)), np.zeros((4, 4))),
        lambda: psnr(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8)),
        lambda: iou(np.zeros(4), np.zeros(4)),
        lambda: iou(np.full(4, 2), np.ones(4, int)),
        lambda: iou(np.zeros(4, bool), np.zeros(5, bool)),
        lambda: chamfer(np.zeros((0, 3)), np.zeros((4, 3))),
        lambda: chamfer(np.zeros((4, 3)), np.zeros((4, 2))),
        lambda: chamfer(np.full((4, 3), np.nan), np.zeros((4, 3))),
    ],
)
def test_wrong_input_is_refused(call):
    with pytest.raises(WsrError):
        call()
