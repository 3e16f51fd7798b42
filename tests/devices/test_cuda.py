"""Tests on a real GPU. They are skipped if there is none; `sh tools/gpu_check.sh` runs them on a machine that has one.
The other files of this folder test what can be tested without a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import wsr
from tests.devices.waiting import WaitsOnlyForRecords
from wsr.devices import compile_backend
from wsr.errors import WsrError
from wsr.fields.base import BaseField, set_compute_dtype
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import make_representation
from wsr.fitting.loop import run_fit, step_loss
from wsr.fitting.problem import make_problem
from wsr.generators.diffusion import DiffusionConfig, Training, WeightDiffusion
from wsr.presets import preset
from wsr.render.decode import decode

pytestmark = pytest.mark.cuda
KINDS = ("cpu", "cuda")


@pytest.fixture
def trained():
    """The base for images if there is one, else an untrained base."""
    try:
        return load_base("emoji")
    except WsrError:
        return BaseField(preset("cpu", 2).field, seed=1).requires_grad_(False)


@pytest.fixture
def products():
    """Sets the dtype of the products, and restores it."""

    def chosen(dtype):
        for kind in KINDS:
            set_compute_dtype(kind, dtype)

    yield chosen
    chosen(None)


def pictures(count: int, side: int = 64) -> np.ndarray:
    """Draws different discs and waves in colours, (n, side, side, 3)."""
    y, x = np.mgrid[0:side, 0:side] / side * 2 - 1
    made = []
    for i in range(count):
        a, b, c = np.random.default_rng(i).uniform(-0.5, 0.5, 3)
        disc = ((x - a) ** 2 + (y - b) ** 2 < 0.2 + 0.2 * c)[..., None]
        waves = 0.5 + 0.5 * np.stack([np.sin(6 * (x * a + y * b) + k + 4 * c) for k in range(3)], -1)
        made.append(np.where(disc, 1 - waves, waves))
    return np.stack(made).astype(np.float32)


def fitted(model, images, device, *, steps=60, backend=None, points=512):
    config = replace(preset("cpu", 2).fit.of(model.name), steps=steps, points=points)
    problem = make_problem(images, None, device=device)
    *_, last = run_fit(problem, model, model.initial(), config, images.shape[1], 0, backend=backend)
    return last.result


def near(one, other, part):
    """Tells whether vectors agree within a fraction of their norm."""
    return bool(((one - other).norm(dim=1) <= part * other.norm(dim=1)).all())


def gradient(model, images, device, backend=None):
    """Gradients of the losses of a step, from a start with some noise, in fp32 (n, p)."""
    targets, there = make_problem(images, None, device=device).targets, model.to(device)
    weights = model.initial("spread", 0.1).to(device).expand(len(images), -1).clone().requires_grad_()
    batch = targets.batch(0, 512)
    losses = step_loss(there, targets, torch.float32, backend)(weights, batch.points, batch.values)
    return torch.autograd.grad(losses.sum(), weights)[0].cpu()


def test_values_in_fp32_are_those_of_the_cpu(trained):
    """Values of all six representations at random points agree to 1e-4, with colours in [-1, 1]."""
    points = torch.rand(1, 2048, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for name in wsr.representations:
        model = make_representation(name, trained, trained.config)
        weights = model.initial("spread", 0.1)[None]
        there = model.to("cuda").evaluate(weights.cuda(), points.cuda()).cpu()
        assert torch.allclose(there, model.evaluate(weights, points), atol=1e-4), name


def test_a_fit_in_fp32_is_that_of_the_cpu(trained, products):
    """Gradients agree to 1e-4 of their norm. Adam divides by the root of second moments and so amplifies rounding where
    gradients are small. For a whole fit the promise is about quality: the mean of 16 agrees to 0.3 dB."""
    products(torch.float32)
    images = pictures(16)
    for name in wsr.representations:
        model = make_representation(name, trained, trained.config)
        here, there = (gradient(model, images, device) for device in KINDS)
        assert near(there, here, 1e-4), name
        here, there = (fitted(model, images, device) for device in KINDS)
        assert abs(there.quality.mean() - here.quality.mean()) < 0.3, (name, here.quality, there.quality)
        assert there.weights.device.type == there.representation.device.type == "cpu"


def test_bf16_is_as_good_as_fp32(trained, products, record_property):
    """The mean quality of 16 fits agrees to 0.5 dB."""
    model, images, means = make_representation("mlora-asym", trained, trained.config), pictures(16), {}
    for dtype in (torch.float32, torch.bfloat16):
        products(dtype)
        means[dtype] = float(fitted(model, images, "cuda", steps=300).quality.mean())
    record_property("fp32_dB", means[torch.float32])
    record_property("bf16_dB", means[torch.bfloat16])
    assert means[torch.bfloat16] > means[torch.float32] - 0.5


def test_nothing_in_the_loop_waits_for_the_device(trained, monkeypatch):
    """PyTorch raises an error where the host would wait, from one record to the next. 64 × 64 pixels at 512 per step
    are eight steps per epoch, so new orders of the pixels are uploaded on the way."""
    watched = WaitsOnlyForRecords(monkeypatch, torch.cuda.set_sync_debug_mode)
    for name in wsr.representations:
        model = make_representation(name, trained, trained.config)
        config = replace(preset("cpu", 2).fit.of(name), steps=40)
        problem = make_problem(pictures(4), None, device="cuda")
        watched.run(run_fit(problem, model, model.initial(), config, 64, {4}))


def test_nothing_loaded_moves_and_all_is_decoded(trained):
    model = make_representation("mlora-asym", trained, trained.config)
    weights = model.initial(sigma=0.1)[None]
    shown = [decode(of, w, 32)[0] for of in (model, model.to("cuda")) for w in (weights, weights.cuda())]
    assert all(np.allclose(one, shown[0], atol=1e-3) for one in shown)
    assert all(p.device.type == "cpu" for p in trained.parameters()) and model.device.type == "cpu"


def test_diffusion_trains_and_samples(trained):
    """A tiny model trains on the GPU, its samples are on the CPU, and a copy of it on the CPU draws nearly the same
    ones."""
    config = DiffusionConfig(32, 1, 2, 16, 3e-3, 20, timesteps=50, shared_modulation=True)
    model = make_representation("mlora-asym", trained, trained.config)
    vectors = model.initial() + 0.1 * torch.randn(40, model.size, generator=torch.Generator().manual_seed(0))
    made = WeightDiffusion.new(model, vectors, config, ["one"])
    *_, last = Training(made, vectors, ["one"] * 40).run()
    assert last.done and np.isfinite(last.loss) and made.mean.device.type == "cuda"
    here, there = made.to("cpu").sample(2, steps=10), made.sample(2, steps=10)
    assert there.device.type == "cpu" and near(there, here, 1e-2)


def test_a_compiled_fit_is_as_good(trained, products, record_property):
    """With `inductor` and CUDA graphs, as zoos are built: compares the gradient of a step, and the quality of a fit."""
    if compile_backend("cuda") is None:
        pytest.skip("Triton or a C compiler is missing on this machine: fits run uncompiled")
    products(torch.float32)
    model, images = make_representation("mlora-asym", trained, trained.config), pictures(16)
    assert near(gradient(model, images, "cuda", "inductor"), gradient(model, images, "cuda"), 1e-3)
    one, compiled = (fitted(model, images, "cuda", backend=backend) for backend in (None, "inductor"))
    record_property("quality_dB", [float(one.quality.mean()), float(compiled.quality.mean())])
    assert abs(one.quality.mean() - compiled.quality.mean()) < 0.3


def test_a_captured_training_is_that_of_single_kernels(trained, record_property):
    """Replayed as a CUDA graph, a generator's training has the losses that it has step by step, with the learning rate
    of each step; and it is quicker."""
    config = DiffusionConfig(32, 1, 2, 16, 3e-3, 60, timesteps=50, shared_modulation=True, warmup=30)
    model = make_representation("mlora-asym", trained, trained.config)
    vectors = model.initial() + 0.1 * torch.randn(40, model.size, generator=torch.Generator().manual_seed(0))

    def losses(captured: bool) -> list[float]:
        training = Training(WeightDiffusion.new(model, vectors, config, ["one"]), vectors, ["one"] * 40)
        if not captured:
            training._learn = training._learnt
        *_, last = training.run(record_every=5, monitor_every=0)
        record_property(f"steps_per_second_{'captured' if captured else 'single'}", config.steps / last.seconds)
        return training.losses

    assert np.allclose(losses(True), losses(False), rtol=1e-2)
