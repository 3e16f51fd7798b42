"""The benchmark compares comparable things. The figures themselves are measured by `wsr bench`, not here."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from wsr.bench.figure import draw_growth
from wsr.bench.fit import RATES, FitBench
from wsr.bench.growth import bench_growth, repeated
from wsr.bench.peer import PeerConfig, PeerField, fit_peer
from wsr.bench.photograph import bench_photograph
from wsr.data.signals import Signal, Signals
from wsr.fields.base import BaseField, compute_dtype
from wsr.fields.representation import make_representation
from wsr.fitting.problem import make_problem
from wsr.presets import preset


@pytest.fixture
def signals():
    def read(i):
        return np.random.default_rng(i).random((16, 16, 3), dtype=np.float32)

    return Signals("noise", 2, [Signal(f"s{i}", "", "train", 2, lambda i=i: read(i)) for i in range(3)])


@pytest.mark.parametrize("name", ["mlora", "mlora-asym"])
def test_the_peer_is_the_same_field(name, base, points):
    model = make_representation(name, base, base.config)
    start = model.initial(sigma=0.3)
    peer = PeerField(model, start)
    assert torch.allclose(peer(points[0]), model.evaluate(start[None], points)[0], atol=1e-5)
    assert torch.equal(peer.weights(model)[0], start)


def test_the_peer_fits_one_after_the_other(base, signals):
    problem, model = make_problem(signals, None), make_representation("mlora-asym", base, base.config)
    start = model.initial()
    before = problem.evaluator.quality(model, start.expand(3, -1))
    for schedule in ("cosine", "constant"):
        weights, seconds = fit_peer(problem, model, start, PeerConfig(40, 64, 1e-2, schedule=schedule))
        assert (problem.evaluator.quality(model, weights) > before).all() and seconds > 0


def test_the_peer_is_given_more_steps_until_it_is_as_good(base, signals):
    said = []
    bench = FitBench(repeated(signals, 6), base, 2, said.append)
    bench.rate_seconds = 0.05
    bench.config = replace(bench.config, steps=4, points=64, batch=1)
    report = bench.report()
    assert report["batched"]["seconds"] > 0 and 0 < report["share_of_product_rate"] < 1
    kind = report["compute_dtype"]
    assert kind == str(compute_dtype("cpu")).removeprefix("torch.") and set(report["product_rate"]) >= {kind, "float32"}
    assert report["machine"]["processor"] and report["machine"]["bf16_in_hardware"] in (True, False)
    assert len(report["peer_search"]) >= 2 * len(RATES)
    for schedule in ("cosine", "constant"):
        tried = [row["quality"] for row in report["peer_search"] if row["schedule"] == schedule]
        assert len(tried) > 6 or max(tried) != tried[-1], "the best rate is none at the edge"
    assert bench.peer_own(np.full(2, 0.0))[0].steps == 4  # any quality will do
    assert bench.peer_own(np.full(2, 99.0))[0] is None  # no budget suffices
    assert said[-1].startswith("peer, 32 steps, 2 instances")


def test_zoos_of_growing_size_are_made_and_drawn(signals, tmp_path):
    assert len(set(repeated(signals, 7).ids)) == 7
    rows = bench_growth(signals, BaseField(preset("cpu", 2).field).requires_grad_(False), (2, 5), say=lambda text: None)
    assert [row["instances"] for row in rows] == [2, 5] and all(row["seconds"] > 0 for row in rows)
    draw_growth(rows, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.once
def test_what_of_a_fit_is_not_fitting():
    said = []
    report = bench_photograph(2, busy=1, say=said.append)
    assert [row["busy_processes"] for row in report["runs"]] == [0, 1] and len(said) == 3
    assert all(row["cpu_seconds"] > report["fitting_cpu_seconds"] > 0 for row in report["runs"])
    assert all(0 < row["not_fitting"] < 1 for row in report["runs"])
