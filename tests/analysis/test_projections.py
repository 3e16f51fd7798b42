import multiprocessing

import numpy as np
import pytest
import torch

from wsr.analysis import METHODS, ProjectionConfig, faithfulness, nearest, place, project, project_stream, to_table
from wsr.errors import WsrError


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
    stream = project_stream(weights, ProjectionConfig("umap"), every=0.05)
    assert next(stream).found is None
    stream.close()
    assert not multiprocessing.active_children()


def test_faithfulness_tells_a_map_from_noise(weights):
    true = faithfulness(weights, project(weights, ProjectionConfig("pca", 2)).coordinates)
    noise = faithfulness(weights, np.random.default_rng(1).normal(size=(90, 2)))
    same = faithfulness(weights, weights)
    assert same.overlap == 1 and same.trustworthiness == 1
    assert true.trustworthiness > 0.8 > noise.trustworthiness and true.overlap > noise.overlap + 0.1
