"""Making a base from a data set: what `wsr base` and precompute/ call."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from wsr.data.occupancy import cached_occupancy
from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import BaseInfo, save_base
from wsr.fitting.autodecoder import BaseRecord, BaseTraining
from wsr.fitting.targets import ImageTargets, ShapeTargets, Targets, stack_images
from wsr.paths import cache_dir
from wsr.presets import preset as find_preset


def training_targets(signals: Signals, device: str = "cpu") -> Targets:
    """The whole training set as tensors: 49 kB an image of 128×128, 0.2 MB a shape."""
    if signals.dim == 2:
        return ImageTargets(stack_images([signal.read() for signal in signals]), device)
    return ShapeTargets.of([cached_occupancy(signal) for signal in signals], device)


def train_base(
    signals: Signals,
    out: str | Path,
    *,
    preset: str = "cpu",
    seed: int = 0,
    mask_seed: int = 0,
    device: str = "cpu",
    targets: Targets | None = None,
) -> Iterator[BaseRecord]:
    """Trains a base on the training split of `signals` and writes it to `out`. Goes on from its own checkpoint in the
    cache after a kill. WsrError where no signal is for training."""
    seen = signals.where(split="train")
    if not len(seen):
        raise WsrError(f"{signals.name!r} has no signals for training.")
    settings = find_preset(preset, signals.dim)
    targets = training_targets(seen, device) if targets is None else targets
    training = BaseTraining(targets, settings.field, settings.base, seed, device)
    checkpoint = cache_dir() / "training" / f"base-{signals.name.replace('/', '-')}-{preset}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    yield from training.run(checkpoint=checkpoint)
    base, latents = training.finish()
    history = {
        "steps": training.step,
        "seconds": round(training.seconds),
        "seed": seed,
        "instances": len(seen),
        "threads": torch.get_num_threads(),
        "device": str(device),
        "schedule": asdict(settings.base),
    }
    save_base(out, base, BaseInfo(signals.name, preset, mask_seed, history), latents, seen.ids)
