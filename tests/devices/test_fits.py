"""Fits, bases, zoos and decoding on a machine with a GPU: devices match, and results are on the CPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from pretend_gpu import GPU

import wsr
from tests.devices.waiting import WaitsOnlyForRecords
from wsr.data.signals import Signal, Signals
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import Representation, make_representation
from wsr.fitting import loop
from wsr.fitting.autodecoder import BaseTraining
from wsr.fitting.fit import fit, fit_stream
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import make_problem
from wsr.modalities.image_targets import ImageTargets
from wsr.presets import BaseTrainingConfig, FitConfig, Stage
from wsr.render.decode import decode, evaluate_in_chunks
from wsr.run_files import CheckpointPace


def on_cpu(model: Representation) -> bool:
    tensors = [model.layout.trained, model.layout.template]
    if model.base is not None:
        tensors += [model.folded, *model.base.parameters(), *model.base.buffers()]
    return all(tensor.device.type == "cpu" for tensor in tensors)


@pytest.mark.parametrize("name", wsr.representations)
def test_to_returns_a_copy(name, make, gpu):
    model = make(name)
    there = model.to("cuda")
    assert there is not model and there.device == GPU and on_cpu(model)
    assert there.to("cuda") is there and model.to("cpu") is model
    assert there.layout.to_json() == model.layout.to_json() and there.size == model.size
    assert torch.equal(there.initial(sigma=0.1).cpu(), model.initial(sigma=0.1))
    points = torch.rand(1, 5, 2) * 2 - 1
    start = model.initial()[None]
    assert torch.equal(there.evaluate(start.to("cuda"), points.to("cuda")).cpu(), model.evaluate(start, points))
    assert on_cpu(there.to("cpu"))


def test_a_loaded_base_never_moves(base, tmp_path, gpu):
    """It is shared: in an earlier version, after one `.to()` neither an open zoo nor a new one could decode."""
    save_base(tmp_path / "b.safetensors", base, BaseInfo("test", "cpu", 3))
    loaded = load_base(tmp_path / "b.safetensors")
    for there in (loaded.to("cuda"), loaded.cuda(), loaded.cuda(0)):
        assert there.weight.device == GPU and there.info == loaded.info and there is not loaded
    assert loaded.to("cpu") is loaded and there.cpu().weight.device.type == "cpu"
    again = load_base(tmp_path / "b.safetensors")
    assert again is loaded and all(p.device.type == "cpu" for p in [*again.parameters(), *again.buffers()])


@pytest.mark.parametrize("name", wsr.representations)
def test_a_fit_is_the_same_and_yields_cpu_weights(name, base, pictures, gpu):
    here, there = (fit(pictures, name, base, steps=6, points=64, device=device) for device in ("cpu", "cuda"))
    assert there.weights.device.type == "cpu" and on_cpu(there.representation)
    assert torch.allclose(here.weights, there.weights, atol=1e-5)
    assert np.allclose(there.render(8), here.render(8), atol=1e-3)
    assert np.allclose(there.quality, here.quality, atol=0.01)
    assert on_cpu(fit(pictures, name, base, steps=2).representation), "the default device is the GPU"


def test_records_are_on_the_cpu_and_the_loop_does_not_wait(base, pictures, gpu, monkeypatch):
    """Between two records nothing waits for the GPU: no number is read, and uploads start from pinned memory. 16 × 16
    pixels at 64 per step are four steps per epoch, so new orders of the pixels are uploaded on the way."""
    waits, record = [], loop._Recorder.record

    def watched(*args, **options):
        waits.append(sum(gpu.syncs.values()))
        made = record(*args, **options)
        gpu.syncs.clear()
        return made

    monkeypatch.setattr(loop._Recorder, "record", watched)
    for name in wsr.representations:
        for found in fit_stream(pictures, name, base, steps=24, points=64, every=8):
            assert found.weights.device.type == "cpu"
            gpu.syncs.clear()
    assert len(waits) == 6 * 4 and all(waits[i] == 0 for i in range(len(waits)) if i % 4), waits


def test_a_shape_is_fitted_and_its_surface_drawn(base3, gpu):
    result = fit(trimesh.creation.icosphere(2), "mlora-asym", base3, steps=60, points=256, lr=3e-2)
    assert result.weights.device.type == "cpu" and isinstance(result.render(16)[0], trimesh.Trimesh)
    assert np.isfinite(result.quality).all()


def test_decoding_takes_weights_from_anywhere(make, base3, gpu):
    from wsr.fields.representation import make_representation

    shapes = make_representation("mlora", base3, base3.config)
    for model in (make("lora-asym"), make("mlp"), shapes):
        weights = model.initial(sigma=0.1)[None]
        found = []
        for where in ("cpu", "cuda"):
            for of in ("cpu", "cuda"):
                shown = decode(model.to(of), weights.to(where), 8)[0]
                found.append(shown if model.dim == 2 else shown.vertices)
        assert all(np.array_equal(one, found[0]) for one in found)
        values = evaluate_in_chunks(model.to("cuda"), weights, torch.zeros(1, 3, model.dim))
        assert values.device == GPU


def test_a_base_is_trained_and_comes_to_the_cpu(config, tmp_path, gpu):
    targets = ImageTargets(torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8), "cuda")
    schedule = BaseTrainingConfig((Stage(6, 4, 32, 2e-3), Stage(4, 2, 64, 1e-3)))
    training = BaseTraining(targets, config, schedule, device="cuda")
    list(training.run(checkpoint=tmp_path / "c.pt", pace=CheckpointPace.at(0.0)))
    base, latents = training.finish()
    assert latents.device.type == "cpu" and base.weight.device.type == "cpu" and base.mean_style.device.type == "cpu"
    assert all(p.device == GPU for p in training.base.parameters())


@pytest.fixture
def zoo(base, tmp_path, pictures, monkeypatch):
    """A zoo to be made of two pictures, on a base that is opened by name."""
    from wsr import presets
    from wsr.fields.representation import make_representation
    from wsr.zoo import Zoo

    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    known = presets._PRESETS["cpu", "image"]
    small = replace(known, resolution=16, field=base.config, fit=FitConfig(6, 64, 3))
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), small)
    path = tmp_path / "b.safetensors"
    save_base(path, base, BaseInfo("test", "cpu", 3))
    signals = Signals("p", 2, [Signal(f"p{i}", "", "train", 2, lambda i=i: pictures[i]) for i in range(2)])

    def create(folder, **options):
        field = load_base(path)
        settings = {"dataset": "p", "preset": "cpu", "init": "centered", "sigma": 0.02, "init_seed": 0, "steps": 6}
        model = make_representation("mlora-asym", field, field.config, 2, 3)
        return Zoo.create(tmp_path / folder, model, **settings, **options)

    return create, signals, tmp_path


def test_zoos_are_made_and_every_one_still_decodes(zoo, gpu):
    """Zoos that were opened before and after share their base, which an earlier version moved."""
    from wsr.zoo import Zoo, build_zoo
    from wsr.zoo.trajectories import build_trajectories

    create, signals, folder = zoo
    before = create("before")
    list(build_zoo(before, signals, device="cpu"))
    pictures = before.decode(resolution=8)
    made = create("made")
    list(build_zoo(made, signals, device="cuda"))
    along = create("along", snapshots=[2, 6])
    list(build_trajectories(along, signals, [2, 6], device="cuda"))
    assert np.allclose(before.decode(resolution=8), pictures)
    for one in (made, Zoo.open(folder / "made"), Zoo.open(folder / "along")):
        assert one.weights().device.type == "cpu" and on_cpu(one.representation)
        assert np.isfinite(one.decode(resolution=8)).all()
    assert torch.allclose(made.weights(), before.weights(), atol=1e-3)
    model = fit(signals, "mlora-asym", folder / "b.safetensors", steps=2, device="cuda").representation
    assert on_cpu(model) and np.allclose(Zoo.open(folder / "before").decode(resolution=8), pictures)


def test_the_loop_follows_its_targets(make, pictures, gpu):
    """Model and start are on the CPU, targets on the GPU: the fit runs on the GPU and does not change what it was
    given."""
    model = make("mlora")
    problem = make_problem(pictures, None, device="cuda")
    *_, last = run_fit(problem, model, model.initial(), FitConfig(3, 64, 2), 16)
    assert last.weights.device.type == "cpu" and on_cpu(last.result.representation) and on_cpu(model)


def test_two_fits_and_the_line_between_them(base, pictures, gpu):
    from wsr.analysis.connectivity import connect, fit_pair, fit_pair_stream, similarity

    signals = Signals("p", 2, [Signal(f"p{i}", "", "train", 2, lambda i=i: pictures[i]) for i in range(2)])
    pair = fit_pair(signals, "mlora", base, init="spread", sigma=0.2, steps=3)
    *_, record = fit_pair_stream(signals, "mlora", base, init="spread", sigma=0.2, steps=3, device="cuda")
    assert torch.allclose(record.pair.a, pair.a, atol=1e-4)
    for one in (record.pair, record.pair.aligned()):
        assert one.line(0.5).device.type == "cpu" and all(s.device.type == "cpu" for s in (*one.starts, one.start_mean))
        assert np.isfinite(connect(one, make_problem(signals, None, device="cuda").evaluator, (0.0, 1.0)).quality).all()
    assert np.isfinite(similarity(pair.a, pair.b, pair.start_mean).cosine).all()


def test_only_records_may_wait_for_a_gpu(base, pictures, monkeypatch):
    """The same watch as on a real GPU, where PyTorch raises the errors."""
    modes: list[str] = []
    model, config = make_representation("mlora-asym", base, base.config), FitConfig(6, 64, 2)
    problem = make_problem(pictures, None)
    WaitsOnlyForRecords(monkeypatch, modes.append).run(run_fit(problem, model, model.initial(), config, 16, {2}))
    assert modes == ["default"] * 2 + ["error"] + ["default"] * 3
