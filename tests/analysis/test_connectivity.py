"""The line between two fits: its ends are the fits, and equal starts give the control."""

import numpy as np
import torch
import trimesh

from wsr.analysis.connectivity import chamfers, connect, fit_pair, fit_pair_stream, similarity
from wsr.data.signals import Signal, Signals
from wsr.fitting.problem import make_problem


def noise(count: int = 3) -> Signals:
    def read(i):
        return np.random.default_rng(i).random((32, 32, 3), dtype=np.float32)

    return Signals("noise", 2, [Signal(f"s{i}", "", "train", 2, lambda i=i: read(i)) for i in range(count)])


def test_the_ends_of_the_line_are_the_fits(base):
    signals = noise()
    pair = fit_pair(signals, "mlora-asym", base, steps=5)
    evaluator = make_problem(signals, None).evaluator
    found = connect(pair, evaluator)
    assert found.quality.shape == (3, 11)
    for end, weights in ((0, pair.a), (-1, pair.b)):
        assert np.allclose(found.quality[:, end], evaluator.quality(pair.model, weights), atol=1e-3)
    assert np.allclose(found.drop, found.quality[:, [0, -1]].mean(1) - found.quality[:, 5])
    assert not torch.equal(*pair.starts)
    reused = fit_pair(signals, "mlora-asym", base, steps=5, perturb=0.5, first=pair.a)
    assert torch.equal(reused.a, pair.a) and not torch.equal(reused.b, pair.b)


def test_without_perturbation_the_starts_are_the_same_and_the_points_are_not(base):
    pair = fit_pair(noise(), "mlora", base, perturb=0.0, steps=5)
    assert torch.equal(*pair.starts) and not torch.equal(pair.a, pair.b)
    same = fit_pair(noise(), "mlora", base, perturb=0.0, steps=5, point_seeds=(0, 0))
    assert torch.equal(same.a, same.b)


def test_a_pair_that_is_followed_is_the_same_pair(base):
    *records, last = fit_pair_stream(noise(2), "mlora", base, steps=5, every=2)
    assert [record.step for record in records] == sorted(record.step for record in records)
    assert records[-1].step == last.step == last.steps == 10 and records[0].pair is None
    pair = fit_pair(noise(2), "mlora", base, steps=5)
    for one, other in ((last.pair.a, pair.a), (last.pair.b, pair.b), *zip(last.pair.starts, pair.starts, strict=True)):
        assert torch.allclose(one, other, atol=1e-5)


def test_alignment_leaves_the_ends_and_brings_them_nearer(base):
    signals = noise()
    pair = fit_pair(signals, "mlora", base, steps=5, init="normal")
    moved, evaluator = pair.aligned(), make_problem(signals, None).evaluator
    assert ((moved.b - pair.a).norm(dim=1) <= (pair.b - pair.a).norm(dim=1)).all()
    raw, aligned = connect(pair, evaluator, (0.0, 0.5, 1.0)), connect(moved, evaluator, (0.0, 0.5, 1.0))
    assert np.allclose(raw.quality[:, [0, 2]], aligned.quality[:, [0, 2]], atol=1e-2)


def test_a_cosine_stands_beside_its_floor():
    a = torch.eye(4)
    found = similarity(a, a)
    assert np.allclose(found.cosine, 1) and abs(found.floor) < 1e-6
    assert (
        similarity(a + 10, a + 10).floor > 0.9 and abs(similarity(a + 10, a + 10, torch.full((4,), 10.0)).floor) < 1e-5
    )


def test_surfaces_on_the_line_are_compared_with_their_targets(base):
    from tests.conftest import tiny_config
    from wsr.analysis.connectivity import Pair
    from wsr.fields.base import BaseField
    from wsr.fields.representation import make_representation

    config = tiny_config(3)
    model = make_representation("mlora", BaseField(config, seed=1).requires_grad_(False), config)
    starts = torch.stack([model.initial(sigma=0.5, init_seed=seed) for seed in (0, 1)])
    pair = Pair(model, ["s"], starts[:1], starts[1:], (starts[0], starts[1]), model.initial_mean())
    found = chamfers(pair, [trimesh.creation.icosphere()], 16)
    assert found.shape == (1, 3) and (found > 0).all()
