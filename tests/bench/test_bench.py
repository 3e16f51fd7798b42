"""The benchmark compares comparable things. The figures themselves are measured by `wsr bench`, not here."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import tiny_config
from wsr.bench.encoded import encoded_row
from wsr.bench.figure import draw_growth
from wsr.bench.fit import RATES, FitBench, Side
from wsr.bench.growth import bench_growth, repeated
from wsr.bench.peer import PeerConfig, PeerField, fit_peer
from wsr.bench.photograph import bench_photograph
from wsr.data.signals import Signal, Signals
from wsr.fields.base import BaseField, compute_dtype
from wsr.fields.checkpoint import BaseInfo, save_base
from wsr.fields.representation import make_representation
from wsr.fitting.encoder import EncoderConfig, StartEncoder
from wsr.fitting.encoder_files import encoder_path, save_encoder
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
    assert bench.peer_own(np.full(2, 0.0))[0].steps == 4  # every quality is enough
    assert bench.peer_own(np.full(2, 99.0))[0] is None  # no number of steps is enough
    assert said[-1].startswith("peer, 32 steps, 2 instances")


def test_without_an_encoder_its_row_says_that_there_is_none(base, signals):
    said = []
    row = encoded_row(FitBench(signals, base, 2, said.append), Side(4, 64, 1e-2, 1.0, 20.0))
    assert row == {"said": said[0]} and "not measured: no encoder has been trained" in row["said"]


def test_encoded_fits_are_measured_beside_the_batched_one(signals, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    (tmp_path / "bases").mkdir()
    path = tmp_path / "bases/noise.safetensors"
    save_base(path, BaseField(tiny_config(2), seed=0), BaseInfo("noise", "cpu", 0))
    bench = FitBench(signals, path, 2, lambda text: None)
    bench.config = replace(bench.config, steps=8, points=64, batch=1)
    # an untrained encoder predicts the plain start
    encoder = StartEncoder.new(bench.model, EncoderConfig(features=8, fit_steps=4))
    save_encoder(encoder_path(path, "mlora-asym"), encoder, {"seconds": 7200, "instances": 500, "steps": 9})
    row = encoded_row(bench, Side(8, 64, 1e-2, 1e3, 5.0))
    assert row["steps"] == 4 and row["known"] == 1 and row["quality"] > 5 and row["equal_quality"]["steps"] == 4
    assert row["seconds"] < 1e3 and row["speedup_equal_quality"] == 1e3 / row["seconds"]
    assert "trained once before, for 120 minutes on 500 instances" in row["said"] and "fits save as much" in row["said"]
    row = encoded_row(bench, Side(8, 64, 1e-2, 1.0, 99.0))
    assert row["equal_quality"] is None and "Even 8 steps are not enough for equal quality" in row["said"]
    encoder.known = 0.5
    save_encoder(encoder_path(path, "mlora-asym"), encoder, {})
    row = encoded_row(bench, Side(8, 64, 1e-2, 1.0, 5.0))
    assert row["known"] == 0 and "0% of the instances are known" in row["said"]
    assert "does not say for how long" in row["said"]


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
