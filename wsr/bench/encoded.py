"""The row of `wsr bench fit` for fits that start where an encoder says, beside the batched fit from the plain start."""

import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from wsr.bench.fit import FitBench, Side
from wsr.errors import counted
from wsr.fitting.encoder import StartEncoder
from wsr.fitting.loop import run_fit
from wsr.fitting.settings import FitSettings, Start
from wsr.fitting.starts import Starting
from wsr.fitting.threads import side_by_side, workers_for
from wsr.presets import FitConfig

GROWTH = 2**0.5  # factor by which the number of steps grows until the quality is equal


def encoded_row(bench: FitBench, batched: Side) -> dict[str, Any]:
    """Measures encoded fits of the same instances: with the number of steps that the encoder states, and with more
    until their mean quality is that of the batched fit but for a negligible difference. An instance that the encoder
    does not know is fitted from the plain start, with the preset's steps, as in a zoo. The seconds include the
    encoder's looks.

    Returns the measurements, what is known of the encoder's training, and all of it in words as `said`; only `said` if
    there is no encoder."""
    starting = Starting.of(FitSettings(start=Start.named("auto")), bench.model)
    encoder = starting.encoder
    if encoder is None:
        said = f"Encoded starts were not measured: {starting.why or 'these fits adapt no base'}."
        bench.say(said)
        return {"said": said}
    _fit_all(bench, encoder, replace(bench.config, steps=2))  # warm-up
    wanted, steps = batched.quality - bench.signals.modality.negligible, encoder.config.fit_steps
    own, known = _side(bench, encoder, steps)
    equal = own
    while equal.quality < wanted and steps < batched.steps:
        steps = min(round(steps * GROWTH), batched.steps)
        equal, _ = _side(bench, encoder, steps)
    row = {
        **asdict(own),
        "known": known,
        "equal_quality": asdict(equal) if equal.quality >= wanted else None,
        "speedup_own_steps": batched.seconds / own.seconds,
        "speedup_equal_quality": batched.seconds / equal.seconds if equal.quality >= wanted else None,
        "encoder_sha256": encoder.sha256,
        "training": {key: encoder.history.get(key) for key in ("seconds", "instances", "steps", "threads", "device")},
    }
    return row | {"said": _in_words(row, batched)}


def _side(bench: FitBench, encoder: StartEncoder, steps: int) -> tuple[Side, float]:
    """Returns the measurement, and the share of the instances that the encoder knows."""
    config = replace(bench.config, steps=steps)
    seconds, quality, known = _fit_all(bench, encoder, config)
    side = Side(steps, config.points, config.lr, seconds, float(quality.mean()))
    bench.say(f"encoded, {counted(steps, 'step')}: {side.seconds:.3f} s an instance, quality {side.quality:.3f}")
    return side, float(known.mean())


def _fit_all(bench: FitBench, encoder: StartEncoder, config: FitConfig) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns seconds an instance, qualities, and which instances the encoder knows."""
    firsts = range(0, len(bench.signals), config.batch)
    parts = [bench.part(first, config.batch) for first in firsts]
    workers = workers_for("cpu", len(parts))

    def fitted(problem, start, config: FitConfig):
        *_, last = run_fit(problem, bench.model, start, config, bench.settings.resolution, 0)
        return last.result

    def fit(item) -> tuple[float, np.ndarray, np.ndarray]:
        first, problem = item
        begun = time.perf_counter()
        found = encoder.starts(problem.targets, bench.start)
        looked = time.perf_counter() - begun
        result = fitted(problem, found.weights, config)
        seconds, quality, known = looked + result.seconds, result.quality, found.encoded.numpy()
        for i in np.flatnonzero(~known).tolist():
            again = fitted(bench.part(first + i, 1), bench.start, bench.config)
            seconds, quality[i] = seconds + again.seconds, again.quality[0]
        return seconds, quality, known

    with side_by_side(fit, list(zip(firsts, parts, strict=True)), workers) as results:
        seconds, quality, known = zip(*results, strict=True)
    return sum(seconds) / workers / len(bench.signals), np.concatenate(quality), np.concatenate(known)


def _in_words(row: dict[str, Any], batched: Side) -> str:
    said = (
        f"Encoded starts: {counted(row['steps'], 'step')} take {row['seconds']:.3f} s an instance "
        f"({row['speedup_own_steps']:.1f} times as fast as the batched fit) and end {_difference(row, batched)}; "
        f"{row['known']:.0%} of the instances are known. "
    )
    equal = row["equal_quality"]
    said += (
        f"Equal quality takes {counted(equal['steps'], 'step')}: {row['speedup_equal_quality']:.1f} times as fast. "
        if equal
        else f"Even {counted(batched.steps, 'step')} are not enough for equal quality. "
    )
    trained = row["training"]
    if trained["seconds"] is None or trained["instances"] is None:
        return said + "The encoder was trained once before; its file does not say for how long."
    said += (
        f"The encoder was trained once before, for {_duration(trained['seconds'])} on "
        f"{counted(trained['instances'], 'instance')}, which these seconds do not contain"
    )
    saved = batched.seconds - (equal or row)["seconds"]
    return said + (f": {trained['seconds'] / saved:,.0f} fits save as much." if saved > 0 else ".")


def _difference(row: dict[str, Any], batched: Side) -> str:
    gain = row["quality"] - batched.quality
    return f"at a quality of {row['quality']:.3f} instead of {batched.quality:.3f} ({gain:+.3f})"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
