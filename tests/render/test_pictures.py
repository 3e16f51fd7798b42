import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import trimesh

from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.presets import FieldConfig
from wsr.render import gbuffer, gl, pictures
from wsr.render.decode import decode
from wsr.render.gbuffer import Camera, corner_normals, embree_buffer, layers
from wsr.render.pictures import contact_sheet, draw_mesh, draw_weights


@pytest.fixture
def ball():
    return trimesh.creation.icosphere(subdivisions=3)


@pytest.fixture
def embree(monkeypatch):
    monkeypatch.setenv("WSR_GL", "off")


def covered(picture):
    return (picture < 250).any(axis=2)


def test_ball_fills_the_picture_and_is_lit_from_above(ball):
    picture = draw_mesh(ball, 96)
    assert picture.shape == (96, 96, 3) and picture.dtype == np.uint8
    assert covered(picture).mean() == pytest.approx(np.pi / 4, abs=0.08)
    assert (picture[0] == 255).all() and picture[20, 48].mean() > picture[75, 48].mean() + 30


def test_embree_draws_what_opengl_draws(ball, monkeypatch):
    mesh = trimesh.util.concatenate([ball.apply_scale(0.5), trimesh.creation.box((1.6, 0.06, 0.9))])
    first = draw_mesh(mesh, 80).astype(int)  # on a machine without OpenGL this picture is drawn by Embree, too
    monkeypatch.setenv("WSR_GL", "off")
    difference = abs(first - draw_mesh(mesh, 80))
    assert difference.mean() < 1.5 and np.mean(difference > 30) < 0.02


def test_without_opengl_pictures_are_drawn_all_the_same():
    code = "import trimesh, wsr.render.pictures as p; print(p.draw_mesh(trimesh.creation.box(), 32).min())"
    env = {**os.environ, "PYOPENGL_PLATFORM": "nonsense", "WSR_GL": ""}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0 and int(done.stdout) < 200, done.stderr
    assert "Traceback" not in done.stderr


def test_many_threads_draw_at_once(ball):
    expected = draw_mesh(ball, 40)
    with ThreadPoolExecutor(4) as pool:
        for picture in pool.map(lambda _: draw_mesh(ball, 40), range(8)):
            np.testing.assert_array_equal(picture, expected)


def test_views_differ_and_are_where_they_say(embree):
    arrow = trimesh.creation.box((0.1, 0.1, 0.1)).apply_translation((0.8, 0, 0))
    arrow = trimesh.util.concatenate([arrow, trimesh.creation.box((0.01, 0.01, 0.01)).apply_translation((-0.8, 0, 0))])
    front, back = (covered(draw_mesh(arrow, 64, view=(azimuth, 0.0))) for azimuth in (0.0, 180.0))
    assert np.argwhere(front)[:, 1].mean() > 45 and np.argwhere(back)[:, 1].mean() < 19
    above = trimesh.creation.box((0.2, 0.2, 0.2)).apply_translation((0, 0.7, 0))
    assert np.argwhere(covered(draw_mesh(above, 64, view=(0.0, 0.0))))[:, 0].mean() < 20


def test_background_and_colour(ball, embree):
    picture = draw_mesh(ball, 32, colour=(0.9, 0.2, 0.2), background=(0.0, 0.0, 0.5))
    assert (picture[0, 0] == [0, 0, 128]).all()
    assert picture[16, 16, 0] > 2 * picture[16, 16, 1]


def test_the_inside_of_an_open_mesh_is_lit(embree):
    ball = trimesh.creation.icosphere(subdivisions=3)
    bowl = trimesh.Trimesh(ball.vertices, ball.faces[ball.triangles_center[:, 2] < 0], process=False)
    assert draw_mesh(bowl, 48, view=(0.0, 0.0))[24, 24].mean() > 100


def test_what_is_not_in_the_unit_sphere_is_fitted_into_it(ball, embree):
    far = ball.copy().apply_scale(50).apply_translation((300, 0, 0))
    assert covered(draw_mesh(far, 48)).mean() == pytest.approx(covered(draw_mesh(ball, 48)).mean(), abs=0.02)
    small = covered(draw_mesh(ball.copy().apply_scale(0.3), 48)).mean()
    assert small == pytest.approx(0.09 * np.pi / 4, abs=0.03)


def test_nothing_to_draw_and_nothing_drawable(ball):
    assert (draw_mesh(trimesh.Trimesh(), 16) == 255).all()
    with pytest.raises(WsrError, match="pixels"):
        draw_mesh(ball, 0)
    ball.vertices[0] = np.nan
    with pytest.raises(WsrError, match="NaN"):
        draw_mesh(ball, 16)


def test_flat_meshes_and_slivers_are_drawn(embree):
    corners, faces = [[-1, 0, 0], [1, 0, 0], [0, 0, 0.5], [0, 0, 0]], [[0, 1, 2], [0, 1, 3], [0, 0, 1]]
    picture = draw_mesh(trimesh.Trimesh(corners, faces, process=False), 32)
    assert covered(picture).any() and picture.min() > 0


def test_normals_are_smooth_on_bends_and_flat_at_edges(ball):
    outward = ball.vertices[ball.faces] / np.linalg.norm(ball.vertices[ball.faces], axis=-1, keepdims=True)
    assert np.einsum("fcd,fcd->fc", corner_normals(ball), outward).min() > 0.99
    box = trimesh.creation.box()
    np.testing.assert_allclose(corner_normals(box), np.repeat(box.face_normals[:, None], 3, axis=1), atol=1e-6)


def test_embree_depth_of_a_ball(ball):
    buffer = embree_buffer(ball, Camera(20.0, 30.0), 65)
    nearest = np.unravel_index(buffer.depth.argmin(), buffer.depth.shape)
    assert abs(np.array(nearest) - 32).max() <= 3
    np.testing.assert_allclose(buffer.normals[32, 32], [0, 0, 1], atol=0.05)
    assert np.isinf(buffer.depth[0, 0])


def test_contact_sheet():
    tiles = [np.full((4, 6, 3), i, np.uint8) for i in range(5)]
    sheet = contact_sheet(tiles, 2, gap=1)
    assert sheet.shape == (14, 13, 3)
    assert (sheet[5:9, 7:] == 3).all() and (sheet[10:, 7:] == 255).all()
    np.testing.assert_array_equal(contact_sheet([t / 255 for t in tiles], 2, gap=1), sheet)
    assert contact_sheet(tiles[:1], 8).shape == (4, 6, 3)


@pytest.mark.parametrize("images", [[], [np.zeros((4, 4, 3)), np.zeros((5, 4, 3))], [np.zeros((4, 4))]])
def test_sheets_of_nothing_or_of_different_sizes(images):
    with pytest.raises(WsrError):
        contact_sheet(images, 2)


@pytest.mark.parametrize("dim", [2, 3])
def test_weights_are_drawn_as_images_or_as_surfaces(dim):
    model = make_representation("mlp", None, FieldConfig(dim, 16, 2, 6.0, 8, 2, 16, 12, 2))
    weights = model.initial()[None].repeat(2, 1)
    found = draw_weights(model, weights, 12, 24)
    assert len(found) == 2 and found[0].dtype == np.uint8
    assert found[0].shape == ((12, 12, 3) if dim == 2 else (24, 24, 3)) and np.array_equal(*found)
    if dim == 2:
        assert np.abs(found[0] / 255 - np.clip(decode(model, weights, 12)[0], 0, 1)).max() <= 0.5 / 255 + 1e-6


def nested(count, outer=1.0):
    """Makes tetrahedra inside each other. The innermost comes first, so that each of them is drawn over the one before.
    """
    corners, sides = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], [[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]
    one = trimesh.Trimesh(corners, sides)
    sizes = np.linspace(0.1, outer, count) / np.sqrt(3)
    vertices = (one.vertices[None] * sizes[:, None, None]).reshape(-1, 3)
    faces = (one.faces[None] + 4 * np.arange(count)[:, None, None]).reshape(-1, 3)
    return trimesh.Trimesh(vertices, faces, process=False)


def test_layers_are_counted_as_they_are_seen(ball):
    camera = Camera(20.0, 30.0)
    # the front and the back of the ball each cover a disc
    assert layers(ball, camera) == pytest.approx(2 * np.pi / 4 / 1.04**2, rel=0.08)
    assert layers(nested(50, outer=0.1), camera) == pytest.approx(50 * layers(nested(1, outer=0.1), camera), rel=1e-6)


@pytest.mark.parametrize("opengl", [True, False])
def test_thousands_of_surfaces_behind_each_other_fill_no_more_than_they_may(monkeypatch, opengl):
    """In an earlier version, 10,000 nested tetrahedra blocked the drawing thread for minutes."""
    monkeypatch.setenv("WSR_GL", "" if opengl else "off")
    monkeypatch.setattr(pictures, "FILLED", 400_000)
    deep, filled = nested(3000), []
    buffer = pictures._buffer

    def counted(mesh, camera, size):
        filled.append(size**2 * layers(mesh, camera))
        return buffer(mesh, camera, size)

    monkeypatch.setattr(pictures, "_buffer", counted)
    coarse = draw_mesh(deep, 64)
    assert filled[0] <= max(400_000, pictures.COARSEST**2 * layers(deep, Camera(*pictures.THREE_QUARTER)))
    monkeypatch.setattr(pictures, "FILLED", 10**12)
    fine = draw_mesh(nested(2), 64)  # only the outermost one is visible, so two look like all
    assert coarse.shape == fine.shape == (64, 64, 3)
    assert np.mean(covered(coarse) != covered(fine)) < 0.1


def test_the_worst_mesh_is_drawn_in_bounded_time(embree):
    """Measured in CPU seconds, because the machine may be busy."""
    deep = nested(20_000)
    begun = time.thread_time()
    draw_mesh(deep, 320)
    assert time.thread_time() - begun < 5


def test_shapes_are_drawn_as_finely_as_ever():
    ball = trimesh.creation.icosphere(subdivisions=2)
    for count in (1, 10, 40):
        many = trimesh.util.concatenate([ball.copy().apply_scale(1 - 0.5 * i / count) for i in range(count)])
        assert pictures._affordable(640, layers(many, Camera(35, 24))) == 640


def test_who_waits_too_long_for_opengl_is_drawn_by_embree_and_the_next_by_opengl_again(ball, monkeypatch):
    expected = draw_mesh(ball, 48).astype(int)
    if pictures._gl is None or pictures._gl_failed:
        pytest.skip("no OpenGL on this machine")
    gate, begun = threading.Event(), threading.Event()
    draw = gl._draw

    def slow(*job):
        begun.set()
        gate.wait(60)
        return draw(*job)

    monkeypatch.setattr(gl, "_draw", slow)
    monkeypatch.setattr(pictures, "PATIENCE", 0.2)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(draw_mesh, ball, 48)
        assert begun.wait(60)
        others = [pool.submit(draw_mesh, ball, 48) for _ in range(2)]
        for one in (first, *others):  # their results arrive although the thread is still blocked
            assert abs(expected - one.result(timeout=120)).mean() < 1.5
        gate.set()
    monkeypatch.setattr(gl, "_draw", draw)
    monkeypatch.setattr(pictures, "PATIENCE", 60.0)
    assert not pictures._gl_failed
    # jobs that nobody waited for any more have been dropped
    np.testing.assert_array_equal(draw_mesh(ball, 48), expected)


def test_normals_of_smooth_vertices_need_no_pairs_and_are_the_same(monkeypatch):
    order = np.random.default_rng(0)
    tangle = trimesh.Trimesh(order.normal(size=(60, 3)), order.integers(0, 60, (200, 3)), process=False)
    for mesh in (trimesh.creation.icosphere(subdivisions=3), trimesh.creation.cylinder(0.5, 1.0), tangle):
        quick = corner_normals(mesh)
        with monkeypatch.context() as patch:
            # no vertex counts as smooth, so that all pairs of faces are compared
            patch.setattr(gbuffer, "_HALF_CREASE", 2.0)
            patch.setattr(gbuffer, "_AT_ONCE", 37)
            np.testing.assert_allclose(corner_normals(mesh), quick, atol=1e-6)
