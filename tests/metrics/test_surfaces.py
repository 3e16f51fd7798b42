"""Distances between surfaces, from points on both."""

import trimesh

from wsr.metrics.surfaces import EMPTY, surface_distance, surface_points


def test_a_surface_is_nearer_to_itself_than_to_a_larger_one():
    small, large = trimesh.creation.icosphere(3, 0.5), trimesh.creation.icosphere(3, 0.6)
    floor = surface_distance(small, small)
    assert 0 < floor < 0.06 < surface_distance(small, large) < 0.3
    assert surface_distance(small, small, 8192) < floor  # denser points are nearer to each other
    assert surface_distance(small, small) == floor  # the same points are drawn each time


def test_points_lie_on_the_surface_and_no_surface_is_far_from_all():
    sphere = trimesh.creation.icosphere(4, 0.7)
    assert abs((surface_points(sphere, 500) ** 2).sum(1) ** 0.5 - 0.7).max() < 2e-3
    assert surface_distance(trimesh.Trimesh(), sphere) == EMPTY
