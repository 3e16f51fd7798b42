import numpy as np
import pytest
import trimesh
from data.shapes import l_triangles

from wsr.data.mesh_report import describe_mesh, wall_thickness
from wsr.data.meshes import read_mesh

BALL = trimesh.creation.icosphere(3)


def sentences(mesh):
    return " ".join(describe_mesh(mesh).sentences())


def test_a_solid_has_nothing_to_warn_of():
    report = describe_mesh(trimesh.creation.box((1, 2, 3)))
    assert report.closed and not report.thin and report.warnings() == []
    assert report.sentences()[0] == "12 faces, closed."


def test_walls_are_as_thick_as_they_are():
    plate = read_mesh(trimesh.creation.box((1, 1, 0.02)))
    np.testing.assert_allclose(np.median(wall_thickness(plate)), np.ptp(plate.bounds, axis=0)[2], rtol=1e-3)
    shell = trimesh.util.concatenate([BALL, trimesh.Trimesh(BALL.vertices * 0.9, BALL.faces[:, ::-1])])
    walls = wall_thickness(read_mesh(shell))
    assert np.quantile(walls[walls < 0.5], 0.5) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize(("thickness", "thin"), [(0.01, True), (0.1, False)])
def test_thin_is_against_the_grid(thickness, thin):
    report = describe_mesh(trimesh.creation.box((1, 1, thickness)))
    radius = np.linalg.norm([1, 1, thickness]) / 2
    assert report.thin == thin and report.voxels == pytest.approx(thickness / radius * 96 / 2, rel=1e-3)
    assert ("a cell of the 96³ grid" in sentences(trimesh.creation.box((1, 1, thickness)))) == thin
    assert describe_mesh(trimesh.creation.box((1, 1, 0.01)), 1000).thin is False


def test_what_was_mended_is_told():
    vertices, faces = l_triangles()
    wrong = np.concatenate([faces, faces[:3, ::-1]])
    wrong[12:14] = wrong[12:14, ::-1]
    told = sentences(trimesh.Trimesh(vertices, wrong, process=False))
    assert "3 faces lay on top of others and were left out." in told
    assert "2 faces were wound inward and turned outward." in told


def test_an_open_surface_and_sheets():
    bowl = trimesh.Trimesh(BALL.vertices, BALL.faces[BALL.triangles_center[:, 2] < 0.8])
    assert "Its surface has a border" in sentences(bowl) and "sheets" not in sentences(bowl)
    x, y = np.mgrid[-1:1:10j, -1:1:10j]
    corners = np.column_stack([x.ravel(), y.ravel(), 0.1 * x.ravel() ** 2])
    i = np.arange(81) // 9 * 10 + np.arange(81) % 9
    sheet = np.concatenate([np.column_stack([i, i + 10, i + 1]), np.column_stack([i + 1, i + 10, i + 11])])
    report = describe_mesh(trimesh.Trimesh(corners, sheet))
    assert not report.closed and report.sheets > 0.9 and "sheets have no inside" in " ".join(report.warnings())


def test_notes_of_the_reader_are_told(tmp_path):
    data = BALL.export(file_type="stl") + b"more"
    (tmp_path / "a.stl").write_bytes(data)
    assert "4 bytes after the last triangle were left out." in sentences(str(tmp_path / "a.stl"))
