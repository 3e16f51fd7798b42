"""`sh tools/gpu_check.sh` as a whole, on the CPU at toy sizes, and what it does if a stage fails, dies or hangs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wsr.bench import gpu
from wsr.bench.gpu_stages import STAGES, Stage
from wsr.errors import WsrError

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

ROOT = Path(__file__).parents[2]


def test_it_runs_whole_at_toy_sizes(tmp_path):
    changed = {"OUT": tmp_path, "WSR_ASSETS": tmp_path / "none", "CUDA_VISIBLE_DEVICES": "", "PYTHON": sys.executable}
    environment = os.environ | {key: str(value) for key, value in changed.items()}
    ran = subprocess.run(
        ["sh", "tools/gpu_check.sh", "--toy"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280
    )
    report = json.loads((tmp_path / gpu.REPORT).read_text())
    told = {name: (stage["status"], stage["error"]) for name, stage in report["stages"].items()}
    assert ran.returncode == 0, (told, ran.stdout[-2000:], ran.stderr[-2000:])
    assert list(told) == list(STAGES) and all(status == "ok" for status, _ in told.values())
    assert report["toy"] is True and report["device"] == "cpu" and "no figure" in report["note"]
    assert "toy sizes" in ran.stdout
    results = {name: stage["result"] for name, stage in report["stages"].items()}
    assert results["machine"]["torch"] and results["tests"]["counts"]["skipped"] >= 7
    assert all("GPU" in row["reason"] for row in results["tests"]["outcomes"].values())
    for name in ("fits at cpu", "fits at paper"):
        assert {row["instances"] for row in results[name]["rows"]} == {2, 4}
        for row in results[name]["rows"]:
            assert row["fits_per_second"] > 0 and row["share_of_rate"] > 0 and row["peak_bytes"] > 0
    assert {row["dim"] for row in results["decoding"]["rows"]} == {2, 3}
    assert results["training"]["diffusion_paper"]["steps_per_second"] > 0
    for name in ("base_cpu", "base_paper"):
        assert all(row["steps_per_second"] > 0 for row in results["training"][name])
    assert {"cpu", "paper"} <= results["sampling"].keys()
    assert max(results["machine"]["largest_difference_to_cpu"].values()) < 1e-5
    assert "decoding, 2D" in (tmp_path / gpu.LOG).read_text()


def _hangs(device, toy):
    yield "first", 1
    subprocess.Popen(["sleep", "60"])
    time.sleep(60)


def _fails(device, toy):
    yield "first", 1
    raise RuntimeError("no more memory")


def _dies(device, toy):
    yield "first", 1
    os._exit(9)


def _works(device, toy):
    yield "last", 2


def test_a_stage_that_fails_leaves_what_it_has_and_the_next_goes_on(tmp_path, monkeypatch):
    for name, run in (("hangs", _hangs), ("fails", _fails), ("dies", _dies), ("works", _works), ("late", _works)):
        monkeypatch.setitem(STAGES, name, Stage(0.7 if name == "hangs" else 30, run))
    check = gpu.Check(tmp_path, "cpu", True)
    began = time.monotonic()
    stages = check.run(["hangs", "fails", "dies", "works"])["stages"]
    assert time.monotonic() - began < 30
    assert [stage["status"] for stage in stages.values()] == ["overran", "failed", "failed", "ok"]
    assert [stage["result"] for stage in stages.values()] == [{"first": 1}] * 3 + [{"last": 2}]
    assert "no more memory" in stages["fails"]["error"] and "9" in stages["dies"]["error"]
    check.budget = 0.0
    assert check.run(["late"])["stages"]["late"]["status"] == "skipped"
    assert json.loads((tmp_path / gpu.REPORT).read_text())["stages"]["works"]["status"] == "ok"
    assert "no more memory" in (tmp_path / gpu.LOG).read_text()
    assert not list(tmp_path.glob("stage-*"))


def test_stages_begin_afresh_too_as_they_do_on_a_gpu(tmp_path):
    check = gpu.Check(tmp_path, "cpu", True, start="spawn")
    (stage,) = check.run(["machine"])["stages"].values()
    assert stage["status"] == "ok" and stage["result"]["torch"]


def test_stages_are_forks_unless_cuda_does_not_survive_that(monkeypatch):
    for use, way in ((lambda: os._exit(0), "fork"), (lambda: os._exit(1), "spawn")):
        monkeypatch.setattr(gpu, "_use_gpu", use)
        assert gpu.way_to_start("cuda") == way and gpu.way_to_start("cpu") == "fork"


def test_the_device_is_the_gpu_where_there_is_one():
    assert gpu.chosen(None, lambda: True) == "cuda" and gpu.chosen(None, lambda: False) == "cpu"
    assert gpu.chosen("cpu", lambda: True) == "cpu"
    for asked in ("cuda", "tpu"):
        with pytest.raises(WsrError):
            gpu.chosen(asked, lambda: False)


def test_all_stages_fit_into_eight_minutes():
    assert gpu.BUDGET <= 450 and all(stage.limit < gpu.BUDGET / 2 for stage in STAGES.values())


def test_wsr_bench_fit_measures_batches(tmp_path, monkeypatch):
    """`wsr bench fit --batches`, on a field and a fit of toy size."""
    from wsr import presets
    from wsr.bench.gpu_stages import TOY_FIELD
    from wsr.commands.bench import BenchFit
    from wsr.presets import FitConfig, PresetConfig

    small = PresetConfig(16, TOY_FIELD["image"], FitConfig(10, 32, 4), presets.preset("cpu", 2).base)
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), small)
    assert BenchFit(batches=(1, 3), device="cpu", out=tmp_path / "r.json").run() == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert [row["instances"] for row in report["rows"]] == [1, 3] and report["device"] == "cpu"
    assert all(row["fits_per_second"] > 0 for row in report["rows"])
