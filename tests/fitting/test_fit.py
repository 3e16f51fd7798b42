from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

import wsr
from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import make_representation
from wsr.fitting.fit import default_steps, fit, fit_stream, representation_for
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import FitSettings
from wsr.modalities import IMAGE
from wsr.presets import FitConfig, preset


@pytest.fixture
def pictures():
    y, x = np.mgrid[0:16, 0:16] / 15
    return np.stack([np.stack([x, y, 0.5 * (1 + np.sin(k * x + y))], -1) for k in (2.0, 5.0, 8.0)]).astype(np.float32)


@pytest.fixture
def base3():
    from tests.conftest import tiny_config

    return BaseField(tiny_config(3), seed=1).requires_grad_(False)


@pytest.mark.parametrize("name", wsr.representations)
def test_every_representation_trains_and_decodes(name, base, pictures):
    result = fit(pictures, name, base, steps=30, points=128)
    assert result.weights.shape == (3, result.representation.size)
    assert result.render(8).shape == (3, 8, 8, 3) and result.render(16).min() >= 0 and result.render(16).max() <= 1
    # after so few steps all fits are poor, which is allowed
    assert not any(status.startswith("diverged") for status in result.status)
    first = next(iter(fit_stream(pictures, name, base, steps=30, points=128)))
    assert (result.quality > first.quality).all()


def test_quality_is_the_psnr_of_the_rendered_image(base, pictures):
    result = fit(pictures, "mlora", base, steps=5)
    # Targets are stored in bytes, so that values may differ by half of 1/255.
    assert np.allclose(
        result.quality, [wsr.metrics.psnr(a, b) for a, b in zip(result.render(16), pictures, strict=True)], atol=0.05
    )


@pytest.mark.parametrize("name", ["mlp", "lora", "mlora-asym"])
def test_a_shape_can_be_fitted_in_fp64(name, base3, compute_in):
    compute_in(torch.float64)
    model = make_representation(name, base3, base3.config)
    problem = make_problem([trimesh.creation.icosphere(1)], None, evaluation_points=500)
    config = FitSettings(steps=60, points=128).config(name, "occupancy")
    run = run_fit(problem, model, model.initial(), config, 16, 0, torch.float64)
    last = list(run)[-1]
    assert last.weights.dtype == torch.float64 and last.loss.dtype == np.float64
    assert last.loss[0] < problem.targets.loss(
        model.evaluate(model.initial()[None], problem.targets.batch(59, 128).points), problem.targets.batch(59, 128)
    )


@pytest.mark.once
@pytest.mark.parametrize("name", ["mlp-asym", "lora", "mlora-asym"])
def test_a_compiled_step_is_the_same_step(name, base, pictures, compute_in):
    """The step that a GPU compiles is one graph. Here it is traced without generating code, so that no compiler is
    needed. Equal in fp32 to 1e-5; in bf16 its operations round differently (tests/devices/test_compiled.py compares
    their gradients)."""
    compute_in(torch.float32)
    model = make_representation(name, base, base.config)
    ends = []
    for backend in (None, "aot_eager"):
        *_, last = run_fit(
            make_problem(pictures, None), model, model.initial(), FitConfig(4, 64, 8), 16, backend=backend
        )
        ends.append(last.weights)
    assert torch.allclose(*ends, atol=1e-5)


def test_a_rate_is_the_length_of_a_step(base, pictures):
    """Adam's first step has the same length in every entry: `lr`, and `a_rate` times that in A."""
    model = representation_for("mlora-asym", base, 2)
    for a_rate in (1.0, 3.0):
        first = fit(pictures[:1], "mlora-asym", base, steps=1, points=64, lr=1e-2, a_rate=a_rate).weights
        moved = (first - model.initial()).abs()[0] / (1e-2 * model.lr_multipliers(a_rate))
        assert (moved > 0.9).float().mean() > 0.9 and moved.max() < 1.01


def test_the_same_seed_gives_the_same_weights(base, pictures):
    kwargs = dict(representation="mlora-asym", base=base, steps=6, points=64)
    assert torch.equal(fit(pictures, **kwargs).weights, fit(pictures, **kwargs).weights)
    assert not torch.equal(fit(pictures, **kwargs).weights, fit(pictures, seed=1, **kwargs).weights)
    assert not torch.equal(fit(pictures, **kwargs).weights, fit(pictures, init_seed=1, **kwargs).weights)


def test_a_stream_reports_and_can_be_closed(base, pictures):
    stream = fit_stream(pictures, "mlora", base, steps=20, every=5, points=64)
    first, second = next(stream), next(stream)
    assert (first.step, second.step, second.steps, second.done) == (1, 5, 20, False)
    assert first.weights.shape == second.weights.shape and not torch.equal(first.weights, second.weights)
    stream.close()
    *_, last = fit_stream(pictures, "mlora", base, steps=20, every=5, points=64)
    assert last.done and [step for step, _ in last.result.curve] == [1, 5, 10, 15, 20]


def test_one_instance_that_diverges_leaves_the_others_alone(base, pictures):
    model = make_representation("mlora-asym", base, base.config)
    results = []
    for broken in (False, True):
        problem = make_problem(pictures, None)
        if broken:  # all values of one instance become NaN, as with a damaged target
            original = problem.targets.batch

            def batch(step, count, original=original):
                drawn = original(step, count)
                drawn.values[1] = float("nan")
                return drawn

            problem.targets.batch = batch
        *_, last = run_fit(problem, model, model.initial(), FitConfig(8, 64, 8), 16)
        results.append(last.result)
    assert results[1].status[0] == results[0].status[0] and results[1].status[1].startswith("diverged")
    for i in (0, 2):
        assert torch.equal(results[0].weights[i], results[1].weights[i])


def test_a_wide_picture_keeps_its_shape(base):
    result = fit(np.random.rand(1, 8, 24, 3).astype(np.float32), "mlora", base, steps=2)
    assert result.render(48).shape == (1, 16, 48, 3)


@pytest.mark.parametrize("workers", [1, 2])
def test_pictures_of_two_sizes_are_refused_on_any_number_of_cores(workers, base, monkeypatch):
    """Where each had a core of its own, the second was rendered in the shape of the first."""
    monkeypatch.setattr("wsr.fitting.fit.workers_for", lambda *_: workers)
    wide = np.random.rand(8, 16, 3).astype(np.float32)
    with pytest.raises(WsrError, match="Images of one fit must have one size"):
        fit([wide, wide.transpose(1, 0, 2)], "mlora", base, steps=1)


def test_tensors_are_fitted_wherever_they_come_from(base):
    plain = torch.rand(1, 8, 8, 3)
    for given in (plain.clone().requires_grad_(), plain.bfloat16(), [plain[0].clone().requires_grad_()]):
        assert fit(given, "mlora", base, steps=1).weights.isfinite().all()
    assert torch.equal(fit(plain, "mlora", base, steps=2).weights, fit(plain.numpy(), "mlora", base, steps=2).weights)


def test_a_shape_is_fitted_and_rendered(base3):
    result = fit(trimesh.creation.icosphere(2), "mlora-asym", base3, steps=200, points=512, lr=3e-2)
    assert result.quality[0] > 0.5
    mesh = result.render(24)[0]
    assert isinstance(mesh, trimesh.Trimesh) and mesh.is_watertight


def test_what_cannot_be_fitted_is_explained(base, base3, tmp_path):
    picture = np.zeros((1, 8, 8, 3), np.float32)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n nothing more")
    for given, message in (
        ([], "nothing to fit"),
        (np.zeros((2, 8, 8)), r"\(n, h, w, 3\)"),
        (np.full((1, 8, 8, 3), np.nan), "NaN|finite"),
        (object(), "cannot be fitted"),
        ([Image.new("RGB", (4, 4)), trimesh.creation.box()], "one batch"),
        (str(tmp_path / "missing.png"), "missing.png"),
        (broken, "broken.png"),
    ):
        with pytest.raises(WsrError, match=message):
            fit(given, "mlora", base, steps=1)
    with pytest.raises(WsrError, match="base"):
        fit(picture, "mlora", base3, steps=1)
    with pytest.raises(WsrError, match="steps"):
        fit(picture, "mlora", base, steps=0)
    with pytest.raises(WsrError, match="one point or more"):
        fit(picture, "mlora", base, steps=1, points=0)
    with pytest.raises(WsrError, match="rate of A must be a positive number"):
        fit(picture, "mlora", base, steps=1, a_rate=0.0)
    with pytest.raises(WsrError, match="mlora"):
        fit(picture, "mlorra", base, steps=1)


@pytest.mark.parametrize("dim", [2, 3])
def test_the_paper_preset_is_built_and_trained_for_two_steps(dim):
    from wsr.fitting.autodecoder import BaseTraining
    from wsr.presets import BaseTrainingConfig, Stage, preset

    config = preset("paper", dim).field
    given = np.random.rand(2, 16, 16, 3) if dim == 2 else [trimesh.creation.box(), trimesh.creation.icosphere(1)]
    problem = make_problem(given, None, evaluation_points=1000)
    training = BaseTraining(problem.targets, config, BaseTrainingConfig((Stage(2, 2, 64, 1e-3),)))
    *_, last = training.run()
    assert last.done and np.isfinite(last.loss)
    base, _ = training.finish()
    for name in wsr.representations:
        model = make_representation(name, base, config)
        *_, record = run_fit(problem, model, model.initial(), FitConfig(2, 64, 2), 16)
        assert record.done and np.isfinite(record.loss).all()


@pytest.mark.parametrize("name", ["mlp", "mlora-asym"])
def test_one_thread_and_two_give_the_same_weights(name, base, pictures):
    """A zoo is built with one thread per batch, a single picture is fitted with all of the machine's threads."""
    model, found, before = make_representation(name, base, base.config), [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            config = FitSettings(steps=12, points=256).config(name, "image")
            *_, last = run_fit(make_problem(pictures[:1], None), model, model.initial(), config, 16, 0)
            found.append(last.weights)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_a_record_judges_a_part_of_the_pixels_and_the_last_one_all(base):
    y, x = np.mgrid[0:64, 0:96] / 64
    picture = np.stack([x % 1, y, 0.5 + 0.5 * np.sin(9 * x * y)], -1)[None].astype(np.float32)
    problem, model = make_problem(picture, None), make_representation("mlora-asym", base, base.config)
    weights = fit(picture, "mlora-asym", base, steps=30, points=256).weights
    part = problem.evaluator.part
    assert len(part) == len(set(part.tolist())) == 2048 and len(set((part // 96).tolist())) == 64
    exact, quick = (problem.evaluator.quality(model, weights, quick=quick)[0] for quick in (False, True))
    assert exact != quick and abs(exact - quick) < 0.5
    first, last = fit_stream(picture, "mlora-asym", base, steps=2, every=1, points=64)
    assert last.quality[0] == problem.evaluator.quality(model, last.weights)[0]
    assert first.quality[0] == problem.evaluator.quality(model, first.weights, quick=True)[0]


def test_signals_like_those_of_the_base_take_as_many_steps_as_in_zoos():
    fit, emoji = preset("cpu", "image").fit, load_base("emoji")
    other = copy(emoji)
    other.info = replace(emoji.info, dataset="faces")

    def steps(name, base):
        return default_steps(Signals(name, 2, [], IMAGE), fit, base)

    assert steps("emoji/people", emoji) == steps("emoji", None) == steps("faces", other) == fit.steps
    assert steps("faces", emoji) == steps("emoji", other) == steps("yours", None) == fit.far_steps
