"""Benchmarks fits of large batches: how many fits per second a device completes, which share of its own rate of matrix
products they reach, and how much memory they take. Run by `wsr bench fit --batches` and `sh tools/gpu_check.sh`."""

import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch

from wsr.bench.rates import fit_flops, product_rate
from wsr.devices import compile_backend, synchronize
from wsr.errors import WsrError, counted
from wsr.fields.base import BaseField, compute_dtype
from wsr.fields.representation import Representation, make_representation
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import Problem
from wsr.modalities.image_targets import ImageEvaluator, ImageTargets
from wsr.presets import FieldConfig, FitConfig, preset

SIZES = (64, 256, 1024, 4096)
LARGE = (1, 8192, 8192)  # a product large enough to reach a GPU's own rate
STEPS = 100_000  # more than will be measured
JUDGED = 16  # a record decodes one in so many pixels, since judging is not part of the measurement


@dataclass(frozen=True)
class BatchSettings:
    """Settings of the benchmark. name: of the representation; field, fit, side: sizes, by default the preset's; sizes:
    numbers of instances; seconds: duration of a measurement; rate_seconds: duration of the measurement of a product
    rate; compiled: the sizes that are also measured with a compiled step."""

    name: str
    field: FieldConfig
    fit: FitConfig
    side: int
    sizes: tuple[int, ...] = SIZES
    seconds: float = 3.0
    rate_seconds: float = 0.5
    compiled: tuple[int, ...] = (256,)

    @classmethod
    def of(cls, preset_name: str, name: str = "mlora-asym", **changed) -> "BatchSettings":
        """Returns the settings at a preset, for images."""
        known = preset(preset_name, "image")
        return replace(cls(name, known.field, known.fit.of(name), known.resolution), **changed)


def bench_batches(
    settings: BatchSettings, device: str, base: BaseField | None = None, say: Callable[[str], None] = print
) -> Iterator[tuple[str, object]]:
    """Yields the parts of a report as they are measured: `dtype` of the products; `product_rate` in that dtype, of the
    fit's own product and of a large one, in FLOP/s; and `rows`, all so far. Each row has `instances`, `backend`
    ("eager" or "inductor"), the number of timed `steps`, `seconds_per_step`, `fits_per_second` (extrapolated to the
    settings' number of steps), `flops` of the products, `share_of_rate` (of the large product's rate), and `peak_bytes`
    (of the device's memory, or this process's on a CPU); or `error` instead, if there is not enough memory.

    Targets are noise, since the speed does not depend on them. base: by default an untrained one.
    """
    dtype = compute_dtype(device)
    yield "dtype", str(dtype).removeprefix("torch.")
    shapes = {"fit": None, "large": LARGE if torch.device(device).type == "cuda" else None}
    options = {name: {} if shape is None else {"shape": shape} for name, shape in shapes.items()}
    rates = {name: product_rate(dtype, device, settings.rate_seconds, **given) for name, given in options.items()}
    yield "product_rate", rates
    base = base or BaseField(settings.field).requires_grad_(False)
    model, rows = make_representation(settings.name, base, base.config), []
    runs = [(size, None) for size in settings.sizes]
    if backend := compile_backend(device):
        runs += [(size, backend) for size in settings.sizes if size in settings.compiled]
    for size, backend in runs:  # compiling takes long, so it comes last
        rows.append(_row(settings, model, size, device, backend, rates["large"]))
        say(_told(rows[-1]))
        yield "rows", rows


def _row(
    settings: BatchSettings, model: Representation, size: int, device: str, backend: str | None, rate: float
) -> dict:
    row = {"instances": size, "backend": backend or "eager"}
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        steps, seconds, warm = timed_steps(settings, model, size, device, backend)
    except torch.OutOfMemoryError:
        return row | {"error": f"{counted(size, 'instance')} do not fit into the memory of the device"}
    points = min(settings.fit.points, settings.side**2)
    done = fit_flops(settings.field.layers, settings.field.channels, points) * size / seconds
    return row | {
        "steps": steps,
        "seconds_per_step": seconds,
        "first_steps_seconds": warm,
        "fits_per_second": size / (seconds * settings.fit.steps),
        "flops": done,
        "share_of_rate": done / rate,
        "peak_bytes": peak_bytes(device),
    }


def timed_steps(
    settings: BatchSettings, model: Representation, size: int, device: str, backend: str | None = None
) -> tuple[int, float, float]:
    """Times steps of the actual fit loop. Returns the number of timed steps, seconds per step, and seconds of the first
    five steps, which include compiling."""
    if size < 1:
        raise WsrError(f"A batch has at least one instance, not {size!r}.")
    generator = torch.Generator().manual_seed(0)
    small = torch.randint(0, 256, (min(size, 64), settings.side, settings.side, 3), generator=generator).byte()
    images = small.repeat(-(-size // len(small)), 1, 1, 1)[:size]
    evaluator = ImageEvaluator(images[:, ::JUDGED, ::JUDGED])
    problem = Problem([str(i) for i in range(size)], ImageTargets(images, device), evaluator)
    at, config = {5, 10}, replace(settings.fit, steps=STEPS)
    stream = run_fit(problem, model, model.initial(), config, settings.side, at, backend=backend)
    try:
        warm = next(stream).seconds
        step = (next(stream).seconds - warm) / 5
        count = max(5, round(settings.seconds / max(step, 1e-6)))
        at.add(10 + count)
        before = warm + 5 * step
        return count, (next(stream).seconds - before) / count, warm
    finally:
        stream.close()


def peak_bytes(device: str) -> int:
    """Returns the peak of the memory in use: the device's, or that of this process's whole life on a CPU."""
    if torch.device(device).type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def clocked(work: Callable[[], object], device: str) -> float:
    """Returns the seconds that `work` takes, including everything that it queues on the device."""
    synchronize(device)
    begun = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - begun


def _told(row: dict) -> str:
    if "error" in row:
        return row["error"]
    return (
        f"{counted(row['instances'], 'instance')} ({row['backend']}): {row['fits_per_second']:.2f} fits/s, "
        f"{row['share_of_rate']:.0%} of the rate, {row['peak_bytes'] / 2**30:.2f} GiB"
    )
