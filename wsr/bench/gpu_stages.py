"""The stages of `sh tools/gpu_check.sh`. Each stage yields (key, value) pairs of its report as soon as it has them, so
that they are kept if it exceeds its time."""

import ast
import contextlib
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from wsr.bench.batches import SIZES, BatchSettings, bench_batches, clocked, peak_bytes
from wsr.devices import compile_backend
from wsr.errors import WsrError, counted
from wsr.fields.base import BaseField, compute_dtype
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import Representation, make_representation
from wsr.fitting.autodecoder import BaseTraining
from wsr.generators.diffusion import DiffusionConfig, Training, WeightDiffusion, diffusion_preset
from wsr.modalities import Modality, find
from wsr.modalities.image_targets import ImageTargets
from wsr.presets import BaseTrainingConfig, FieldConfig, preset
from wsr.render.decode import decode

Found = Iterator[tuple[str, object]]
TOY_FIELD = {
    "image": FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2),
    "occupancy": FieldConfig(3, 16, 2, 3.0, 8, 2, 16, 12, 2),
}
DECODED = {"image": ((128, 512), 64), "occupancy": ((96, 128), 8)}  # resolutions, and number of instances
TOY_DIFFUSION = DiffusionConfig(16, 1, 2, 8, 1e-3, 8, timesteps=20, shared_modulation=True)
TESTS = "tests/devices/test_cuda.py"


@dataclass(frozen=True)
class Stage:
    """A stage. limit: seconds that it may take on a GPU; run: takes a device, and whether to use toy sizes."""

    limit: float
    run: Callable[[str, bool], Found]


def machine(device: str, toy: bool) -> Found:
    """Describes the machine, and compares values of a field on the device with those on the CPU."""
    yield "python", platform.python_version()
    yield "torch", torch.__version__
    yield "cuda", torch.version.cuda
    yield "processor", platform.processor() or platform.machine()
    yield "cpu_capability", torch.backends.cpu.get_cpu_capability()
    yield "threads", torch.get_num_threads()
    yield "compute_dtype", str(compute_dtype(device)).removeprefix("torch.")
    yield "compile_backend", compile_backend(device)
    if device == "cuda":
        about = torch.cuda.get_device_properties(0)
        yield "gpu", about.name
        yield "gpu_memory_bytes", about.total_memory
        yield "gpu_capability", f"{about.major}.{about.minor}"
        yield "cudnn", torch.backends.cudnn.version()
    yield "largest_difference_to_cpu", _largest_difference(device, toy)


class Outcomes:
    """A pytest plugin that records the outcome of each test as soon as it is known."""

    def __init__(self):
        self.found: dict[str, dict] = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            reason = "" if report.passed else str(report.longrepr[-1] if report.skipped else report.longrepr)[-2000:]
            told = dict(report.user_properties)
            row = {"outcome": report.outcome, "seconds": round(report.duration, 2), "reason": reason, **told}
            self.found[report.nodeid.rpartition("::")[2]] = row


def tests(device: str, toy: bool) -> Found:
    """Runs the tests marked `cuda` in one process. They are skipped without a GPU."""
    import pytest

    outcomes = Outcomes()
    options = ["-o", "addopts=--strict-markers --import-mode=importlib", "-p", "no:cacheprovider", "-q", "--tb=short"]
    # on a GPU one test at a time, so that the outcomes of the others are kept if one exceeds the time
    asked, code = [f"{TESTS}::{name}" for name in _names_of_tests()] if device == "cuda" else [TESTS], 0
    for one in asked:
        code = max(code, int(pytest.main([*options, "-m", "cuda", one], plugins=[outcomes])))
        yield "outcomes", outcomes.found
    kinds = [row["outcome"] for row in outcomes.found.values()]
    yield "counts", {kind: kinds.count(kind) for kind in ("passed", "failed", "skipped")}
    if "failed" in kinds or code > 1 or not kinds:
        failed = kinds.count("failed")
        raise WsrError(f"{failed} of {counted(len(kinds), 'GPU test')} failed (pytest ended with {code}).")


def _names_of_tests() -> list[str]:
    """Returns the names of the functions in the file of tests, in order."""
    tree = ast.parse(Path(TESTS).read_text())
    return [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")]


def fits(preset_name: str) -> Callable[[str, bool], Found]:
    """Returns a stage that measures fits per second, their share of the device's product rate, and memory at a preset.
    """

    def run(device: str, toy: bool) -> Found:
        settings = BatchSettings.of(preset_name, sizes=SIZES if not toy else (2, 4))
        if toy:
            fit = replace(settings.fit, points=32, steps=10)
            settings = replace(settings, field=TOY_FIELD["image"], fit=fit, side=16, seconds=0.02, rate_seconds=0.02)
        yield "settings", {"preset": preset_name, "steps": settings.fit.steps, "points": settings.fit.points,
                           "channels": settings.field.channels, "layers": settings.field.layers}  # fmt: skip
        yield from bench_batches(settings, device, say=say)

    return run


def training(device: str, toy: bool) -> Found:
    """Measures steps per second of base training, for stages of its schedule, and of diffusion training at `paper`."""
    for name in ("cpu", "paper"):
        rows = []
        known = preset(name, "image")
        field, stages = (TOY_FIELD["image"], known.base.stages[:1]) if toy else (known.field, known.base.stages)
        for stage in stages if name == "cpu" else stages[:: max(1, len(stages) - 1)]:
            stage = replace(stage, instances=4, points=16) if toy else stage
            rows.append(_base_steps(field, stage, known.base, device, toy))
            say(f"base, {name}, {stage.instances} × {stage.points}: {rows[-1]['steps_per_second']:.1f} steps/s")
            yield f"base_{name}", rows
    yield "diffusion_paper", _diffusion_steps(device, toy)


def _base_steps(field: FieldConfig, stage, config: BaseTrainingConfig, device: str, toy: bool) -> dict:
    generator, side = torch.Generator().manual_seed(0), 16 if toy else 128
    images = torch.randint(0, 256, (2 * stage.instances, side, side, 3), generator=generator).byte()
    schedule = replace(config, stages=(replace(stage, steps=1_000_000),))
    made = BaseTraining(ImageTargets(images, device), field, schedule, device=device)
    run = made.run(record_every=2 if toy else 10)
    steps, seconds = _steady(run, 0.02 if toy else 2.0)
    return {"instances": stage.instances, "points": stage.points, "steps": steps, "steps_per_second": steps / seconds}


def _diffusion_steps(device: str, toy: bool) -> dict:
    model, config = _weights_model("paper", toy)
    count = 32 if toy else 1000
    vectors = model.initial() + 0.1 * torch.randn(count, model.size, generator=torch.Generator().manual_seed(0))
    begun = time.perf_counter()
    made = WeightDiffusion.new(model, vectors, config, ["one"])
    run = Training(made, vectors, ["one"] * count)  # moves the model to the device
    run.dtype = compute_dtype(device)
    parameters = sum(p.numel() for p in made.network.parameters())
    say(f"diffusion: {counted(parameters, 'parameter')}, made in {time.perf_counter() - begun:.1f} s")
    stream = run.run(record_every=1, monitor_every=0)
    steps, seconds = _steady(stream, 0.02 if toy else 5.0)
    say(f"diffusion: {steps / seconds:.2f} steps/s")
    return {"parameters": parameters, "batch": min(config.batch, count), "dtype": str(run.dtype).removeprefix("torch."),
            "steps": steps, "steps_per_second": steps / seconds, "peak_bytes": peak_bytes(device)}  # fmt: skip


def _steady(records: Iterator, seconds: float) -> tuple[int, float]:
    """Returns the number of steps and the seconds between records, measured from the second record on for about
    `seconds`."""
    next(records)
    first = last = next(records)
    begun = time.perf_counter()  # a record waits for the device
    while time.perf_counter() - begun < seconds and not last.done:
        last = next(records)
    taken = time.perf_counter() - begun
    records.close()
    return last.step - first.step, taken


def _weights_model(preset_name: str, toy: bool) -> tuple[Representation, DiffusionConfig]:
    field = TOY_FIELD["image"] if toy else preset(preset_name, "image").field
    model = make_representation("mlora-asym", BaseField(field).requires_grad_(False), field)
    config = diffusion_preset(preset_name)
    return model, replace(TOY_DIFFUSION, predict=config.predict) if toy else config


def sampling(device: str, toy: bool) -> Found:
    """Measures samples per second of untrained networks, 64 at once, at both presets."""
    for name in ("cpu", "paper"):
        model, config = _weights_model(name, toy)
        count, steps = (4, 5) if toy else (64, 100)
        vectors = model.initial() + 0.1 * torch.randn(16, model.size, generator=torch.Generator().manual_seed(0))
        made = WeightDiffusion.new(model, vectors, config, ["a", "b"])
        made.to_(device)  # in place, because `paper` has two billion parameters
        made.sample(count, steps=2)
        seconds = clocked(lambda made=made, count=count, steps=steps: made.sample(count, steps=steps), device)
        say(f"sampling, {name}: {count / seconds:.1f} samples/s of {counted(steps, 'step')}")
        yield name, {"samples": count, "steps": steps, "guidance": config.guidance, "seconds": seconds,
                     "samples_per_second": count / seconds, "peak_bytes": peak_bytes(device)}  # fmt: skip


def decoding(device: str, toy: bool) -> Found:
    """Measures pictures and surfaces per second, decoded on the device and copied to the CPU."""
    rows = []
    for name, (sizes, count) in DECODED.items():
        modality = find(name)
        model, number = _based(modality, toy), max(1, count // 32) if toy else count
        there = model.to(device)
        weights = model.initial(sigma=0.1) + 0.01 * torch.randn(number, model.size, generator=torch.Generator())
        for size in (16,) if toy else sizes:
            draw = partial(decode, there, weights, size)
            draw()
            seconds = clocked(draw, device)
            row = {"modality": name, "dim": modality.dim, "resolution": size, "count": number}
            rows.append(row | {"per_second": number / seconds})
            say(f"decoding, {modality.dim}D at {size}: {number / seconds:.1f} a second")
            yield "rows", rows


def _based(modality: Modality, toy: bool) -> Representation:
    """Returns mLoRA-Asym on the trained base if there is one, else on an untrained one."""
    base = BaseField(TOY_FIELD[modality.name] if toy else preset("cpu", modality).field).requires_grad_(False)
    if not toy:
        with contextlib.suppress(WsrError):
            base = load_base(modality.default_base)
    return make_representation("mlora-asym", base, base.config)


def _largest_difference(device: str, toy: bool) -> dict[str, float]:
    """Returns the largest difference between values of a field on the device and on the CPU, at random points in fp32,
    by dimension."""
    found = {}
    for modality in map(find, TOY_FIELD):
        model = _based(modality, toy)
        weights, points = model.initial(sigma=0.1)[None], torch.rand(1, 4096, model.dim) * 2 - 1
        there = model.to(device).evaluate(weights.to(device), points.to(device)).cpu()
        found[f"{model.dim}D"] = float((there - model.evaluate(weights, points)).abs().max())
    return found


def say(text: str) -> None:
    print(text, flush=True)


STAGES: dict[str, Stage] = {
    "machine": Stage(40, machine),
    "tests": Stage(150, tests),
    "fits at cpu": Stage(90, fits("cpu")),
    "fits at paper": Stage(90, fits("paper")),
    "decoding": Stage(30, decoding),
    "training": Stage(80, training),
    "sampling": Stage(60, sampling),
}
