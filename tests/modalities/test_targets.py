import numpy as np
import pytest
import torch

from wsr.errors import WsrError
from wsr.modalities.image_targets import ImageTargets, stack_images, to_signed, to_unit
from wsr.modalities.occupancy_targets import ShapeTargets


def images(n=3, h=12, w=10):
    return torch.randint(0, 256, (n, h, w, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_an_epoch_of_pixels_takes_none_twice():
    targets = ImageTargets(images())
    drawn = torch.cat([targets.positions(step, 30) for step in range(4)])  # 120 pixels are 4 steps of 30
    assert drawn.sort().values.tolist() == list(range(120))
    assert not torch.equal(targets.positions(0, 30), targets.positions(4, 30))


def test_a_step_spreads_over_the_whole_image():
    targets = ImageTargets(images(1, 16, 16))
    rows, columns = targets.positions(0, 16) // 16, targets.positions(0, 16) % 16
    cells = (rows // 4) * 4 + columns // 4
    assert cells.sort().values.tolist() == list(range(16))  # one pixel out of every 4×4 block


def test_values_are_those_of_the_pixels():
    pictures = images()
    targets = ImageTargets(pictures)
    batch = targets.batch(0, 30)
    x, y = batch.points[0, :, 0], batch.points[0, :, 1]
    column, row = ((x * 12 + 10 - 1) / 2).round().long(), ((y * 12 + 12 - 1) / 2).round().long()
    assert torch.allclose(batch.values, to_signed(pictures[:, row, column]))
    assert torch.allclose(to_unit(to_signed(pictures)), pictures / 255, atol=1e-6)


def test_the_points_of_a_step_do_not_depend_on_the_rest_of_the_batch():
    pictures = images()
    points = torch.rand(3, 2, 64, 3).half()
    inside = torch.rand(3, 2, 64) > 0.5
    for whole, one in (
        (ImageTargets(pictures), ImageTargets(pictures[1:2])),
        (ShapeTargets(points, inside), ShapeTargets(points[1:2], inside[1:2])),
    ):
        for step in (0, 5, 17):
            a, b = whole.batch(step, 16), one.batch(step, 16)
            assert torch.equal(a.points[min(1, len(a.points) - 1)], b.points[0])
            assert torch.equal(a.values[1], b.values[0])


def test_a_shape_s_step_is_half_near_and_half_uniform():
    points = torch.zeros(2, 2, 40, 3).half()
    points[:, 1] = 1
    batch = ShapeTargets(points, torch.zeros(2, 2, 40, dtype=torch.bool)).batch(3, 16)
    assert batch.points.shape == (2, 16, 3)
    assert (batch.points[:, :8] == 0).all() and (batch.points[:, 8:] == 1).all()


def test_images_of_two_sizes_are_refused():
    with pytest.raises(WsrError, match="one size"):
        stack_images([np.zeros((4, 4, 3)), np.zeros((5, 4, 3))])
