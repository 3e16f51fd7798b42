"""What is inside does not depend on the winding of a file's faces, and a correct mesh is not changed."""

import time

import numpy as np
import pytest
import trimesh
from data.shapes import in_l, l_triangles

from wsr.data.inside import inside
from wsr.data.meshes import REPAIRS, read_mesh
from wsr.data.orientation import is_closed, outward
from wsr.data.shapes10 import CATEGORIES, generate
from wsr.errors import WsrError

POINTS = np.random.default_rng(0).uniform(-1, 1, (3000, 3))
BOX = trimesh.creation.box


def joined(*parts):
    return trimesh.util.concatenate(parts)


def mesh(vertices, faces):
    return trimesh.Trimesh(vertices, faces, process=False)


def turned(shape, rows):
    faces = shape.faces.copy()
    faces[rows] = faces[rows, ::-1]
    return mesh(shape.vertices, faces)


def at(x, size=1.0):
    return BOX((size, size, size)).apply_translation((x, 0, 0))


def in_boxes(points, *boxes):
    """Tells whether points lie in boxes, given as (x, half edge)."""
    return np.any([(abs(points - [x, 0, 0]) < half).all(axis=1) for x, half in boxes], axis=0)


def agreement(given, expected):
    """Share of random points whose inside agrees with `expected`, a function of points in the units of `given`."""
    read = read_mesh(given)
    middle = given.bounds.mean(axis=0)
    scale = np.linalg.norm(given.vertices - middle, axis=1).max()
    return np.mean(inside(read, POINTS) == expected(POINTS * scale + middle))


def test_right_meshes_are_left_as_they_are():
    for number, category in enumerate(CATEGORIES):
        shape = generate(category, 40 + number)
        faces, done = outward(np.asarray(shape.vertices), np.asarray(shape.faces, np.int64))
        assert np.array_equal(faces, shape.faces) and done.turned == done.doubled == done.cavities == 0
    bowl = trimesh.creation.icosphere(3)
    bowl = mesh(bowl.vertices, bowl.faces[bowl.triangles_center[:, 2] < 0.5])
    assert np.array_equal(outward(bowl.vertices, bowl.faces)[0], bowl.faces)


@pytest.mark.parametrize("seed", range(6))
def test_faces_wound_at_random(seed):
    vertices, faces = l_triangles()
    which = np.random.default_rng(seed).random(len(faces)) < (0.1, 0.25, 0.5, 0.5, 0.75, 1.0)[seed]
    read = read_mesh(turned(mesh(vertices, faces), which))
    expected, clear = in_l(POINTS)
    assert read.is_watertight and read.is_winding_consistent and read.volume > 0
    np.testing.assert_array_equal(inside(read, POINTS)[clear], expected[clear])


def test_every_part_of_a_scene_is_turned_outward():
    chair = generate("chair", 7).split(only_watertight=False)
    rng = np.random.default_rng(0)
    right = joined(*chair)
    wrong = joined(*(turned(part, rng.random(len(part.faces)) < rng.choice([0, 0.3, 1])) for part in chair))
    same = inside(read_mesh(wrong), POINTS) == inside(read_mesh(right), POINTS)
    assert same.mean() > 0.999


@pytest.mark.parametrize("lost", [0, 0.02])
@pytest.mark.parametrize("kind", ["turned", "doubled", "some doubled"])
def test_furniture_as_exporters_leave_it(kind, lost):
    """In these meshes faces are reversed at random, all or some of them are doubled, and some are missing."""
    rng = np.random.default_rng(1)
    for category in ("chair", "lamp", "sofa"):
        shape = generate(category, 3)
        faces = shape.faces[rng.random(len(shape.faces)) >= lost]
        some = faces[rng.random(len(faces)) < (1 if kind == "doubled" else 0.3)]
        wrong = np.concatenate([faces, some[:, ::-1]])
        if kind == "turned":
            wrong = np.asarray(turned(mesh(shape.vertices, faces), rng.random(len(faces)) < 0.3).faces)
        found, right = (inside(read_mesh(m), POINTS) for m in (mesh(shape.vertices, wrong), shape))
        assert (found & right).sum() / (found | right).sum() > (0.97 if lost else 0.999)


@pytest.mark.parametrize("flipped", ["second", "first"])
def test_a_part_inside_out_beside_another_is_filled(flipped):
    first, second = at(0, 2), at(3)
    (second if flipped == "second" else first).invert()
    assert agreement(joined(first, second), lambda p: in_boxes(p, (0, 1), (3, 0.5))) == 1


def test_parts_that_overlap_are_filled_both():
    first, second = at(0, 2), at(1)
    second.invert()
    assert agreement(joined(first, second), lambda p: in_boxes(p, (0, 1), (1, 0.5))) == 1


@pytest.mark.parametrize(("outer", "inner", "hollow"), [(1, 1, False), (1, -1, True), (-1, 1, True), (-1, -1, False)])
def test_a_part_inside_another_is_a_cavity_where_it_is_wound_against_it(outer, inner, hollow):
    a, b, beside = at(0, 2), at(0), at(4)
    for part, way in ((a, outer), (b, inner)):
        if way < 0:
            part.invert()
    expected = lambda p: in_boxes(p, (0, 1), (4, 0.5)) & ~(hollow & in_boxes(p, (0, 0.5)))  # noqa: E731
    given = joined(a, b, beside)
    assert agreement(given, expected) == 1
    assert read_mesh(given).metadata[REPAIRS][0].cavities == hollow


def test_a_solid_in_a_cavity():
    shells = [at(0, 3), at(0, 2), at(0, 1)]
    shells[1].invert()
    expected = lambda p: in_boxes(p, (0, 1.5)) & ~in_boxes(p, (0, 1)) | in_boxes(p, (0, 0.5))  # noqa: E731
    assert agreement(joined(*shells), expected) == 1


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("opposite", [True, False])
def test_faces_that_are_there_twice(share, opposite):
    vertices, faces = l_triangles()
    again = faces[np.random.default_rng(1).permutation(20)[: int(20 * share)]]
    given = mesh(vertices, np.concatenate([faces, again[:, ::-1] if opposite else again]))
    read = read_mesh(given)
    expected, clear = in_l(POINTS)
    assert read.is_watertight and len(read.faces) == 20 and read.metadata[REPAIRS][0].doubled == len(again)
    np.testing.assert_array_equal(inside(read, POINTS)[clear], expected[clear])


def test_faces_on_both_sides_of_one_of_two_parts():
    plain, both = at(0, 2), at(3)
    both = mesh(both.vertices, np.concatenate([both.faces, both.faces[:, ::-1]]))
    assert agreement(joined(plain, both), lambda p: in_boxes(p, (0, 1), (3, 0.5))) == 1


@pytest.mark.parametrize("inverted", [False, True])
def test_parts_that_share_a_wall_are_one_solid(inverted):
    first, second = at(0), at(1)
    if inverted:
        second.invert()
    expected = lambda p: (abs(p - [0.5, 0, 0]) < [1, 0.5, 0.5]).all(axis=1)  # noqa: E731
    assert agreement(joined(first, second), expected) == 1


def test_a_mirrored_half_with_a_seam():
    half = at(0.5)
    half = mesh(half.vertices, half.faces[half.triangles_center[:, 0] > 1e-9])  # open at the plane of the mirror
    # mirrored without reversing its faces, so that they point inward
    other = mesh(half.vertices * [-1, 1, 1], half.faces)
    assert agreement(joined(half, other), lambda p: (abs(p) < [1, 0.5, 0.5]).all(axis=1)) == 1


def test_open_parts_turn_their_front_to_the_open():
    ball = trimesh.creation.icosphere(3)
    bowl = mesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0.7])
    other = bowl.copy().apply_translation((2.5, 0, 0))
    right = inside(read_mesh(joined(bowl, other)), POINTS)
    other.invert()
    np.testing.assert_array_equal(inside(read_mesh(joined(bowl, other)), POINTS), right)


def test_a_strip_with_one_side_is_no_solid():
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    wide = [1 + w * np.cos(t / 2) for w in (-0.3, 0.3)]
    edge = [np.column_stack([r * np.cos(t), r * np.sin(t), w * np.sin(t / 2)])
            for r, w in zip(wide, (-0.3, 0.3), strict=True)]  # fmt: skip
    i = np.arange(60)
    j, twist = (i + 1) % 60, i == 59
    a, b = np.where(twist, j + 60, j), np.where(twist, j, j + 60)
    faces = np.concatenate([np.column_stack([i, a, i + 60]), np.column_stack([a, b, i + 60])])
    moebius = mesh(np.concatenate(edge), faces)
    read = read_mesh(moebius)
    assert not is_closed(read.faces) and read.metadata[REPAIRS][0].open_parts == 1


def test_the_same_mesh_gives_the_same_faces():
    rng = np.random.default_rng(0)
    soup = mesh(rng.uniform(-1, 1, (900, 3)), np.arange(900).reshape(-1, 3))
    np.testing.assert_array_equal(read_mesh(soup).faces, read_mesh(soup).faces)


def tetrahedra(sizes):
    corners = np.array([[1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], float)
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    vertices = (corners * sizes[:, None, None]).reshape(-1, 3)
    return mesh(vertices, (faces + 4 * np.arange(len(sizes))[:, None, None]).reshape(-1, 3))


def test_many_nested_parts_end_in_time():
    nested = tetrahedra(np.linspace(0.01, 1, 3000))
    began = time.process_time()
    assert read_mesh(nested).metadata[REPAIRS][0].parts == 3000
    shells = nested.faces.reshape(-1, 4, 3).copy()
    shells[::2] = shells[::2, :, ::-1]
    try:
        assert read_mesh(mesh(nested.vertices, shells.reshape(-1, 3))).metadata[REPAIRS][0].cavities == 1500
    except WsrError as error:
        assert "cavities" in str(error)
    assert time.process_time() - began < 20
