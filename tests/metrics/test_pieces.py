"""Floating pieces are counted on fields that are given by formulas, whose number of pieces is known."""

import numpy as np
import pytest
import torch
import trimesh

from wsr.errors import WsrError
from wsr.metrics import count_pieces, floating_share, named
from wsr.modalities import OCCUPANCY
from wsr.render.surfaces import extract_surface


def ball(x: float, radius: float):
    """The logits of a ball at (x, 0, 0)."""
    return lambda points: radius - (points - torch.tensor([x, 0.0, 0.0])).norm(dim=1)


def surface(*balls, minus=()):
    def logits(points):
        inside = torch.stack([one(points) for one in balls]).amax(0)
        return torch.stack([inside, *(-one(points) for one in minus)]).amin(0)

    return extract_surface(logits, 48)


@pytest.mark.parametrize(
    ("pieces", "balls"),
    [
        (1, [(0.0, 0.5)]), (1, [(-0.2, 0.4), (0.2, 0.4)]), (2, [(-0.5, 0.3), (0.5, 0.3)]),
        (3, [(-0.6, 0.2), (0.0, 0.2), (0.6, 0.2)]), (2, [(-0.3, 0.5), (0.7, 0.08)]),
        (1, [(-0.3, 0.5), (0.7, 0.03)]),  # a speck as small as a voxel, which does not count
    ],
)  # fmt: skip
def test_pieces_of_known_fields_are_counted(pieces, balls):
    assert count_pieces(surface(*(ball(*one) for one in balls))) == pieces


def test_a_cavity_is_no_piece_but_what_lies_in_it_is():
    hollow = surface(ball(0, 0.8), minus=[ball(0, 0.5)])
    assert hollow.body_count == 2 and count_pieces(hollow) == 1
    kernel = extract_surface(
        lambda x: torch.maximum(torch.minimum(ball(0, 0.8)(x), -ball(0, 0.5)(x)), ball(0, 0.3)(x)), 48
    )
    assert kernel.body_count == 3 and count_pieces(kernel) == 2
    assert count_pieces(trimesh.Trimesh()) == 0


def test_a_shape_floats_if_it_has_more_pieces_than_real_ones_of_its_class():
    real, classes = np.array([1, 1, 2, 2, 2, 3]), np.array(["chair", "chair", "chair", "lamp", "lamp", "lamp"])
    made = np.array([2, 1, 0, 2, 3]), np.array(["chair", "chair", "chair", "lamp", "lamp"], dtype=object)
    assert floating_share(made[0], real, made[1], classes) == pytest.approx(2 / 5)
    unknown = np.array([""] * 5)  # without classes, each is compared with the median of all, which is 2
    assert floating_share(made[0], real, unknown, classes) == pytest.approx(1 / 5)
    assert named("pieces").text(0.4) == "40" and named("pieces").heading == "floating pieces %"
    with pytest.raises(WsrError, match="each with its class"):
        floating_share(made[0], real, made[1][:2], classes)


def test_shapes_bring_their_pieces_with_them():
    found = OCCUPANCY.measured([surface(ball(0, 0.5)), surface(ball(-0.5, 0.3), ball(0.5, 0.3))])
    assert found.pieces.tolist() == [1, 2]
