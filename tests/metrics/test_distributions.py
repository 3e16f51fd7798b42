"""Fréchet distance, MMD and the set metrics against closed forms, symmetries and independent implementations."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.neighbors import KNeighborsClassifier

from wsr.errors import WsrError
from wsr.metrics import chamfer, frechet_distance, mmd, pairwise_chamfer, precision, recall, set_metrics


def exact(n, mean, spread, seed=0):
    """Returns n samples whose sample mean and covariance are exactly these: diag(std²)."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    q = np.linalg.qr(x - x.mean(0))[0]
    return q * np.sqrt(n - 1) * spread + mean


@pytest.fixture
def features():
    generator = np.random.default_rng(1)
    return generator.normal(0.3, 1.2, (70, 12)) * np.linspace(0.5, 2, 12), generator.normal(0, 1, (50, 12))


def test_frechet_distance_of_two_gaussians_is_the_closed_form():
    mean, spread = np.linspace(-1, 1, 8), np.linspace(0.5, 2, 8)
    gen, ref = exact(200, mean, spread), exact(300, np.zeros(8), np.ones(8), 1)
    wanted = (np.square(mean).sum() + np.square(spread - 1).sum()) / 8 / ref.std() ** 2
    assert frechet_distance(gen, ref) == pytest.approx(wanted, rel=1e-6)
    assert frechet_distance(torch.from_numpy(gen), torch.from_numpy(ref)) == pytest.approx(wanted, rel=1e-6)


def test_frechet_distance_agrees_with_a_matrix_root(features):
    gen, ref = ((x - features[1].mean()) / features[1].std() for x in features)
    p, q = np.cov(gen, rowvar=False), np.cov(ref, rowvar=False)
    wanted = np.square(gen.mean(0) - ref.mean(0)).sum() + np.trace(p + q - 2 * sqrtm(p @ q).real)
    assert frechet_distance(*features) == pytest.approx(wanted / 12, rel=1e-8)


def test_a_set_is_nowhere_from_itself_even_with_fewer_samples_than_features():
    x = np.random.default_rng(0).normal(size=(20, 64))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-10)
    for kernel in ("rbf", "polynomial"):
        assert mmd(x, x, kernel) == pytest.approx(0, abs=1e-10)
    assert frechet_distance(x, x + 1) == pytest.approx(1 / x.std() ** 2, rel=1e-9)


def test_scale_and_offset_of_the_features_do_not_count(features):
    gen, ref = features
    for measure in (frechet_distance, mmd, lambda a, b: mmd(a, b, "polynomial")):
        assert measure(gen * 7 - 3, ref * 7 - 3) == pytest.approx(measure(gen, ref), rel=1e-9)
    # it is not symmetric, because both sides are standardized by the reference
    assert frechet_distance(gen, ref) != pytest.approx(frechet_distance(ref, gen))


@pytest.mark.parametrize("kernel", ["rbf", "polynomial"])
def test_mmd_agrees_with_sklearns_kernels_whatever_the_block(features, kernel, monkeypatch):
    gen, ref = ((x - features[1].mean()) / features[1].std() for x in features)
    of = {
        "rbf": lambda a, b: rbf_kernel(a, b, gamma=1 / (2 * 12**2)),
        "polynomial": lambda a, b: polynomial_kernel(a, b, degree=3, gamma=1 / 12, coef0=1),
    }[kernel]
    wanted = of(gen, gen).mean() + of(ref, ref).mean() - 2 * of(gen, ref).mean()
    assert mmd(*features, kernel) == pytest.approx(wanted, rel=1e-8)
    monkeypatch.setattr("wsr.metrics.distributions.BLOCK", 7)
    assert mmd(*features, kernel) == pytest.approx(wanted, rel=1e-8)

    def others(x):
        return (of(x, x).sum() - np.trace(of(x, x))) / len(x) / (len(x) - 1)

    assert mmd(*features, kernel, unbiased=True) == pytest.approx(
        others(gen) + others(ref) - 2 * of(gen, ref).mean(), rel=1e-7
    )


def test_mmd_of_far_away_points_is_what_the_kernel_leaves():
    ref = np.concatenate([np.full((30, 2), -1.0), np.full((30, 2), 1.0)])  # mean 0, standard deviation 1
    gen = np.full((40, 2), 1e3)
    near = 0.5 + 0.5 * np.exp(-8 / (2 * 2**2))
    assert mmd(gen, ref) == pytest.approx(1 + near, rel=1e-9)


def clouds(n, seed, at=0.0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, 40, 3)) * generator.uniform(0.5, 1, (n, 1, 3)) + at


def test_distances_between_clouds_are_chamfers():
    x, y = clouds(4, 0), clouds(3, 1)
    for squared in (True, False):
        wanted = [[chamfer(a, b, squared=squared) for b in y] for a in x]
        assert np.allclose(pairwise_chamfer(x, y, squared), wanted, rtol=1e-9)
    within = pairwise_chamfer(x, x)
    assert np.allclose(within, pairwise_chamfer(x, x.copy())) and not within.diagonal().any()


def test_equal_and_disjoint_sets():
    x = clouds(6, 0)
    equal = set_metrics(x, x.copy())
    assert equal.mmd == pytest.approx(0, abs=1e-12) and equal.cov == 1 and equal.nna1 == 0
    apart = set_metrics(x, clouds(5, 1, at=100.0))
    assert apart.nna1 == 1 and apart.cov <= 2 / 5 and apart.mmd > 1e4


def test_one_nearest_neighbour_accuracy_agrees_with_sklearn():
    x, y = clouds(9, 0), clouds(7, 1)
    both = np.concatenate([x, y])
    distance = pairwise_chamfer(both, both)
    np.fill_diagonal(distance, 1e9)  # a point is not its own nearest neighbour
    labels = np.array([1] * 9 + [0] * 7)
    model = KNeighborsClassifier(1, metric="precomputed").fit(distance, labels)
    assert set_metrics(x, y).nna1 == pytest.approx(model.score(distance, labels))


def test_what_cannot_be_compared_is_said(features):
    with pytest.raises(WsrError, match="Features are"):
        frechet_distance(features[0], features[1][:, :5])
    with pytest.raises(WsrError, match="rbf"):
        mmd(*features, "gauss")
    with pytest.raises(WsrError, match="finite"):
        mmd(np.full((3, 2), np.nan), np.ones((3, 2)))
    with pytest.raises(WsrError, match="same number"):
        frechet_distance(np.zeros((3, 2)), np.ones((3, 2)))
    with pytest.raises(WsrError, match="two clouds"):
        set_metrics(clouds(1, 0), clouds(3, 1))
    with pytest.raises(WsrError, match="points"):
        set_metrics(np.zeros((3, 5, 2)), clouds(3, 1))


def test_precision_is_of_what_lies_among_the_others_and_recall_of_what_is_reached():
    x, y = np.random.default_rng(0).normal(size=(2, 60, 5))
    found = [any(np.linalg.norm(one - other) <= np.sort(np.linalg.norm(y - other, axis=1))[3] for other in y)
             for one in x]  # fmt: skip
    assert precision(x, y) == np.mean(found) and recall(y, x) == precision(x, y)
    assert precision(y, y) == recall(y, y) == 1.0
    few = y[:1] + 0.01 * x[:4]  # samples of good quality that are all alike
    assert precision(few, y) == 1.0 and recall(few, y) < 0.5
    assert precision(x + 100, y) == recall(x + 100, y) == 0.0
    # with fewer points than neighbours, the ball around a point reaches its farthest neighbour
    assert precision(y[:2], y[:3]) == 1.0
