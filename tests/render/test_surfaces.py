import json
import struct

import numpy as np
import pytest
import torch
import trimesh

from wsr.errors import WsrError
from wsr.render.surfaces import CHUNK, extract_surface, extract_surface_dense, to_glb


class Counted:
    """A field that counts the points at which it is evaluated."""

    def __init__(self, field):
        self.field, self.points = field, 0

    def __call__(self, points):
        assert points.dtype == torch.float32 and points.shape[1] == 3 and len(points) <= CHUNK
        assert points.abs().max() <= 1.1
        self.points += len(points)
        return self.field(points)


def ball(radius=0.7, centre=(0.0, 0, 0)):
    return lambda p: radius - (p - torch.tensor(centre)).norm(dim=1)


def box(size):
    def field(p):
        q = p.abs() - torch.tensor(size) / 2
        return -(q.clamp(min=0).norm(dim=1) + q.max(dim=1).values.clamp(max=0))

    return field


def table(thickness):
    """A top and four legs of the same thickness."""
    top = box((1.4, thickness, 0.9))

    def field(p):
        across = (p[:, [0, 2]].abs() - torch.tensor([0.6, 0.35])).abs().amax(1) - thickness / 2
        along = (p[:, 1] + 0.4).abs() - 0.4
        return torch.maximum(top(p), -torch.maximum(across, along))

    return field


def network(seed, frequency=3.0):
    g = torch.Generator().manual_seed(seed)
    w, b = torch.randn(3, 32, generator=g) * frequency, torch.rand(32, generator=g) * 6
    a, c = torch.randn(32, 32, generator=g) / 4, torch.randn(32, generator=g)
    return lambda p: torch.relu(torch.sin(p @ w + b) @ a) @ c - 0.5


def saturated(field, sharpness):
    """A field like those of fitted networks: steep at the surface and flat elsewhere."""
    return lambda p: (field(p) * sharpness).clamp(-12, 12)


def test_ball_is_where_it_should_be():
    mesh = extract_surface(ball(0.7, (0.1, -0.2, 0.05)), 64)
    assert mesh.is_watertight and mesh.is_winding_consistent
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices - [0.1, -0.2, 0.05], axis=1), 0.7, atol=1e-3)
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * 0.7**3, rel=0.01)


def same(mesh, dense, resolution):
    np.testing.assert_array_equal(mesh.faces, dense.faces)
    np.testing.assert_allclose(mesh.vertices, dense.vertices, atol=1 / resolution)
    np.testing.assert_allclose(mesh.vertices.mean(axis=0), dense.vertices.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize("sharpness", [1, 30, 100])
@pytest.mark.parametrize("shape", ["plate", "rod", "table"])
def test_thin_parts_are_those_of_the_dense_grid(shape, sharpness):
    field = {"plate": box((1.2, 0.04, 0.8)), "rod": box((0.04, 1.8, 0.04)), "table": table(0.04)}[shape]
    dense = extract_surface_dense(saturated(field, sharpness), 64)
    assert len(dense.faces)
    same(extract_surface(saturated(field, sharpness), 64), dense, 64)


def test_a_thin_leg_is_followed_where_the_field_shows_no_sign_of_it():
    field = saturated(table(0.04), 5000)
    same(extract_surface(field, 64), extract_surface_dense(field, 64), 64)


@pytest.mark.parametrize("seed", range(3))
def test_random_networks_are_those_of_the_dense_grid(seed):
    field = Counted(network(seed))
    mesh, dense = extract_surface(field, 48), extract_surface_dense(network(seed), 48)
    same(mesh, dense, 48)
    assert mesh.is_watertight and abs(mesh.vertices).max() <= 1
    assert field.points < 48**3


def test_only_the_neighbourhood_is_evaluated():
    field = Counted(ball())
    extract_surface(field, 64)
    assert field.points < 0.3 * 64**3


def test_resolutions_that_blocks_do_not_divide():
    for resolution, coarse in ((65, 4), (50, 3), (33, 1)):
        dense = extract_surface_dense(ball(), resolution)
        same(extract_surface(ball(), resolution, coarse), dense, resolution)


def test_empty_and_full_fields():
    empty = extract_surface(lambda p: torch.full((len(p),), -1.0), 32)
    assert len(empty.faces) == 0 and len(extract_surface(lambda p: p[:, 0] * torch.nan, 32).faces) == 0
    full = extract_surface(lambda p: torch.full((len(p),), 5.0), 32)
    assert full.is_watertight and full.volume == pytest.approx(8, rel=0.1)
    one = extract_surface(lambda p: torch.zeros(len(p)), 32)
    assert len(one.faces) == 0


def test_infinite_logits_and_exact_zeros_make_closed_surfaces():
    hard = extract_surface(lambda p: torch.where(p.norm(dim=1) < 0.5, torch.inf, -torch.inf), 32)
    assert hard.is_watertight and np.isfinite(hard.vertices).all()
    cube = extract_surface(lambda p: (p.abs().amax(1) < 0.5).float() - (p.abs().amax(1) > 0.55).float(), 40)
    assert cube.is_watertight and cube.volume > 0


def test_bad_resolution():
    with pytest.raises(WsrError, match="8 samples"):
        extract_surface(ball(), 4)


def test_glb_reads_back(tmp_path):
    mesh = extract_surface(ball(), 32)
    data = to_glb(mesh, tmp_path / "a.glb")
    assert (tmp_path / "a.glb").read_bytes() == data
    back = trimesh.load_mesh(tmp_path / "a.glb")
    np.testing.assert_allclose(back.vertices, mesh.vertices, atol=1e-6)
    np.testing.assert_array_equal(back.faces, mesh.faces)
    (length,) = struct.unpack_from("<I", data, 12)
    header = json.loads(data[20 : 20 + length])
    (primitive,) = header["meshes"][0]["primitives"]
    assert set(primitive["attributes"]) == {"POSITION", "NORMAL"} and "material" in primitive
    kinds = {header["accessors"][i]["componentType"] for i in (*primitive["attributes"].values(), primitive["indices"])}
    assert kinds == {5126, 5125}  # float32 and uint32
    assert len(data) < 24 * len(mesh.vertices) + 12 * len(mesh.faces) + 2000


def test_glb_of_nothing():
    empty = extract_surface(lambda p: torch.full((len(p),), -1.0), 16)
    data = to_glb(empty)
    assert data[:4] == b"glTF" and struct.unpack_from("<2I", data, 4) == (2, len(data))
    assert "meshes" not in json.loads(data[20:])


def test_no_weights_are_no_surfaces():
    """`torch.split` of zero rows returns one part without rows, which an earlier version tried to decode."""
    from wsr.fields.representation import make_representation
    from wsr.presets import FieldConfig
    from wsr.render.decode import decode

    model = make_representation("mlp", None, FieldConfig(3, 16, 2, 6.0, 8, 2, 16, 12, 2))
    assert decode(model, torch.zeros(0, model.size), 16) == []
