import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.isolation.children_work import crash_in_layout, where_umap_keeps_code
from wsr import map_layouts
from wsr.analysis import (
    LEAST_JUDGED,
    METHODS,
    ProjectionConfig,
    faithfulness,
    nearest,
    place,
    project,
    project_stream,
    projections,
    to_table,
)
from wsr.errors import WsrError
from wsr.isolation import Limits

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


@pytest.fixture(scope="module")
def weights():
    generator = np.random.default_rng(0)
    centres = generator.normal(0, 5, (3, 40))
    return np.concatenate([centre + generator.normal(size=(30, 40)) for centre in centres]).astype(np.float32)


def test_the_nearest_of_a_row_is_itself(weights):
    w = torch.from_numpy(weights)
    for metric in ("cosine", "l2"):
        index, distance = nearest(w[:5], w, 3, metric)
        assert index[:, 0].tolist() == [0, 1, 2, 3, 4]
        assert distance[:, 0].abs().max() < 1e-2 and (distance.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("metric", ["cosine", "l2"])
def test_the_nearest_are_the_same_block_by_block_and_in_half_precision(weights, metric, monkeypatch):
    w = torch.from_numpy(weights)
    whole = nearest(w[:5], w, 4, metric, w.mean(0))
    monkeypatch.setattr("wsr.analysis.neighbours.BLOCK", 7)
    index, distance = nearest(w[:5], w, 4, metric, w.mean(0))
    assert torch.equal(index, whole[0]) and torch.allclose(distance, whole[1], atol=1e-6)
    assert torch.equal(nearest(w[:5], w.half(), 4, metric, w.mean(0))[0][:, 0], whole[0][:, 0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dims", [2, 3])
def test_maps_fill_the_unit_box_and_keep_groups_together(weights, method, dims):
    found = project(weights, ProjectionConfig(method, dims)).coordinates
    assert found.shape == (90, dims) and np.isfinite(found).all() and np.abs(found).max() <= 1.0001
    nearest_other = np.linalg.norm(found[:, None] - found[None], axis=-1) + np.eye(90) * 9
    assert (nearest_other.argmin(1) // 30 == np.arange(90) // 30).mean() > 0.9


def test_umaps_functions_are_compiled_once_for_all_processes(weights):
    """Compiling them took each child 10 s before its first map."""
    project(weights, ProjectionConfig("umap"))
    folders = projections._children.call(where_umap_keeps_code, limits=Limits(seconds=100, what="This"))
    for name, folder in folders.items():
        assert folder and list(Path(folder).glob(f"*{name.removeprefix('_nb')}*.nbc")), name


def test_one_process_compiles_and_the_others_wait_for_it(tmp_path, monkeypatch):
    """Three processes that began together compiled the same functions for 30 s each."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    inside, most = [], []

    def draw(_):
        with map_layouts._compiled_by_one():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.2)
            inside.pop()

    for expected in (1, 2):  # once it is compiled, nobody waits
        most.clear()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(draw, range(2)))
        assert max(most) == expected
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "a file" / "below"))
    (tmp_path / "a file").touch()
    draw(0)  # what cannot be kept is no obstacle


def test_a_point_of_the_map_is_placed_where_it_is(weights):
    coordinates = project(weights, ProjectionConfig("pca")).coordinates
    assert np.allclose(place(weights[:7], weights, coordinates), coordinates[:7], atol=1e-2)


def test_the_table_has_the_columns_of_the_assets(weights):
    table = to_table([f"i{k}" for k in range(90)], [project(weights, ProjectionConfig("pca", dims)) for dims in (2, 3)])
    assert list(table.columns) == ["id", "method", "dims", "x", "y", "z"] and len(table) == 180
    assert (table[table["dims"] == 2]["z"] == 0).all()


def test_wrong_names_and_sizes_are_explained(weights):
    with pytest.raises(WsrError, match="tsne"):
        project(weights, ProjectionConfig("t-sne"))
    with pytest.raises(WsrError, match="40"):
        nearest(torch.zeros(1, 3), torch.from_numpy(weights), 1)


def test_a_projection_in_a_process_of_its_own_is_the_same_and_may_be_left(weights):
    config = ProjectionConfig("pca", 2)
    *_, last = project_stream(weights, config)
    assert np.allclose(last.found.coordinates, project(weights, config).coordinates, atol=1e-5) and last.seconds > 0
    stream = project_stream(weights, ProjectionConfig("umap", neighbours=80), every=0.01)
    assert next(stream).found is None
    begun = time.monotonic()
    stream.close()
    assert time.monotonic() - begun < 5 and projections._children._places.acquire(blocking=False)
    projections._children._places.release()


def test_faithfulness_tells_a_map_from_noise(weights):
    true = faithfulness(weights, project(weights, ProjectionConfig("pca", 2)).coordinates)
    noise = faithfulness(weights, np.random.default_rng(1).normal(size=(90, 2)))
    same = faithfulness(weights, weights)
    assert same.overlap == 1 and same.trustworthiness == 1
    assert true.trustworthiness > 0.8 > noise.trustworthiness and true.overlap > noise.overlap + 0.1


# --- few, equal, extreme and broken weights


def made(name):
    rng = np.random.default_rng(0)
    few = {f"{n} of {p}": rng.normal(size=(n, p)) for n in range(1, 7) for p in (1, 40)}
    equal = rng.normal(size=(30, 40))
    equal[5:25] = equal[5]
    return few.get(name) if name in few else {
        "identical": np.tile(rng.normal(size=(1, 60)), (20, 1)),
        "some equal": equal,
        "two places": np.repeat(rng.normal(size=(2, 40)), 10, 0),
        "plus and minus zero": np.where(np.arange(12)[:, None] % 2, 0.0, -0.0) * np.ones((12, 9)),
        "nearly equal": 1 + 1e-7 * rng.normal(size=(20, 40)),
        "on a line": np.outer(np.arange(30), np.ones(20)),
        "one apart": np.eye(1, 20).repeat(20, 0) * (np.arange(20) > 0)[:, None],
        "large": 1e37 * rng.normal(size=(20, 40)),
        "small": 1e-38 * rng.normal(size=(20, 40)),
    }[name]  # fmt: skip


FEW = [f"{n} of {p}" for n in range(1, 7) for p in (1, 40)]
HARD = ["identical", "some equal", "two places", "plus and minus zero", "nearly equal", "on a line", "one apart",
        "large", "small"]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", FEW + HARD)
def test_maps_of_few_equal_and_extreme_weights_are_finite(name, method):
    found = made(name).astype(np.float32)
    for dims in (2, 3):
        config = ProjectionConfig(method, dims, metric="euclidean" if dims == 2 else "cosine")
        at = project(found, config).coordinates
        assert at.shape == (len(found), dims) and at.dtype == np.float32
        assert np.isfinite(at).all() and np.abs(at).max() <= 1.0001
        same = (found[:, None] == found[None]).all(-1)
        assert np.allclose(at[same.any(1)], at[same.argmax(1)], atol=1e-4)  # equal weights have equal coordinates
        assert np.isfinite(place(found[:1], found, at)).all()
        if len(found) >= LEAST_JUDGED:
            judged = faithfulness(found, at)
            assert np.isfinite([judged.trustworthiness, judged.overlap]).all() and judged.k <= 10


def test_up_to_a_triangle_every_method_is_exact(weights):
    for method in METHODS:
        at = project(weights[:3], ProjectionConfig(method)).coordinates
        wanted = np.linalg.norm(weights[:3, None] - weights[None, :3], axis=-1)
        ratio = (np.linalg.norm(at[:, None] - at[None], axis=-1) + np.eye(3)) / (wanted + np.eye(3))
        off = ratio[~np.eye(3, dtype=bool)]
        assert off.max() / off.min() < 1.001


@pytest.mark.parametrize("wrong", [
    np.full((4, 5), np.nan), np.array([[1.0, 2], [np.inf, 0], [3, 4]]), np.zeros((0, 5)), np.zeros((5, 0)),
])  # fmt: skip
def test_weights_that_have_no_map_are_explained(wrong):
    for method in METHODS:
        with pytest.raises(WsrError, match="weight vector"):
            project(wrong, ProjectionConfig(method))
    with pytest.raises(WsrError, match="weight vector"):
        next(project_stream(wrong, ProjectionConfig("pca")))


def test_the_rows_with_nan_are_named(weights):
    broken = weights.copy()
    broken[[3, 7]] = np.nan
    with pytest.raises(WsrError, match="2 of 90 .*rows 3, 7"):
        project(broken, ProjectionConfig("tsne"))
    with pytest.raises(WsrError, match="NaN"):
        faithfulness(broken, weights[:, :2])
    with pytest.raises(WsrError, match="NaN"):
        place(broken[3:4], weights, weights[:, :2])


def test_too_few_points_to_judge_or_to_place_among(weights):
    for count in (0, 1, 2):
        with pytest.raises(WsrError, match="3 points"):
            faithfulness(weights[:count], weights[:count, :2])
    with pytest.raises(WsrError, match="one point"):
        place(weights[:1], weights[:0], weights[:0, :2])


def test_a_crash_in_a_method_is_a_sentence_and_the_next_map_is_made(weights, monkeypatch):
    monkeypatch.setattr(projections, "layout", crash_in_layout)
    with pytest.raises(WsrError, match="The map by t-SNE ended the process .*SIGSEGV"):
        project(weights, ProjectionConfig("tsne"))
    with pytest.raises(WsrError, match="The map by UMAP ended the process .*SIGSEGV"):
        list(project_stream(weights, ProjectionConfig("umap")))
    monkeypatch.undo()
    with pytest.raises(WsrError, match="The map by t-SNE took more than 0.01 s"):
        project(weights, ProjectionConfig("tsne"), seconds=0.01)
    assert np.isfinite(project(weights, ProjectionConfig("tsne")).coordinates).all()


def test_children_take_half_of_the_cores_that_this_process_may_use():
    """Half of the cores available to this process, which may be fewer than the machine's, as in a container."""
    script = "import os; os.cpu_count = lambda: 64; import wsr.analysis.projections as p; print(p._children.threads)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=100)
    assert int(done.stdout) == max(1, len(os.sched_getaffinity(0)) // 2), done.stderr
