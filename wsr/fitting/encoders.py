"""Trains an encoder of starts for a base and writes it to a file, for `wsr encoder` and precompute/."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from wsr.data import load_signals
from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import base_path, load_base
from wsr.fields.representation import Representation
from wsr.fitting.bases import training_targets
from wsr.fitting.encoder import EncoderConfig
from wsr.fitting.encoder_files import WHAT, encoder_path, read_about, save_encoder
from wsr.fitting.encoder_training import EncoderTraining
from wsr.fitting.fit import representation_for
from wsr.fitting.resumable import TrainingRecord
from wsr.formats.files import shown
from wsr.formats.tensors import open_tensors
from wsr.identity import Identity
from wsr.modalities import Modality
from wsr.paths import cache_dir, require_free, taken
from wsr.presets import preset as find_preset

UNSEEN = 256  # validation signals at most, by which it is set what an encoder knows


def train_encoder(
    base: str | Path,
    representation: str = "mlora-asym",
    out: str | Path | None = None,
    steps: int | None = None,
    *,
    seed: int = 0,
    device: str = "cpu",
    overwrite: bool = False,
) -> Iterator[TrainingRecord]:
    """Trains an encoder through a base, on the training split of the base's own data set, and writes it to `out`, by
    default where fits look for it. Yields progress records. After a kill, the same call continues from its checkpoint
    in the cache. If `out` already holds the encoder of this very run, it is kept, and a single record with `kept` says
    so. WsrError if the base's data set is not at hand, and if `out` is something else; `overwrite` replaces it
    nevertheless. steps: by default those of `EncoderConfig`."""
    path = base_path(base)
    out = require_free(out or encoder_path(path, representation), overwrite=overwrite)
    model = _model(path, representation)
    signals = load_signals(model.base.info.dataset)
    seen, unseen = signals.where(split="train"), signals.where(split="validation")[:UNSEEN]
    if not len(seen):
        raise WsrError(f"{signals.name!r} has no signals for training.")
    targets = training_targets(seen, device)
    config = encoder_config(representation, model.modality, model.base.info.preset)
    training = EncoderTraining(targets, model, replace(config, steps=steps or config.steps), seed, device)
    if not overwrite and _require_same(out, training.identity):
        yield TrainingRecord(training.steps, training.steps, float("nan"), 0.0, done=True, kept=True)
        return
    checkpoint = cache_dir() / "training" / f"encoder-{out.stem[-60:]}-{training.identity.short}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    yield from training.run(checkpoint=checkpoint)
    encoder = training.finish(training_targets(unseen, device) if len(unseen) else targets)
    save_encoder(out, encoder, _history(training, seen))
    checkpoint.unlink(missing_ok=True)


def encoder_config(representation: str, modality: Modality, preset: str = "cpu") -> EncoderConfig:
    """Returns the settings of an encoder for fits at a preset."""
    a_rate = find_preset(preset, modality).fit.of(representation).a_rate
    return EncoderConfig(a_rate=a_rate, fit_steps=modality.encoded_steps)


def _model(path: Path, representation: str) -> Representation:
    base = load_base(path)
    model = representation_for(representation, base, base.modality, preset=base.info.preset)
    if model.base is None:
        raise WsrError(f"{representation!r} adapts no base, so that no encoder can be trained through one.")
    return model


def _require_same(out: Path, identity: Identity) -> bool:
    """Tells whether `out` already holds the encoder of this run: False if nothing is there, WsrError if it is something
    else."""
    if not taken(out):
        return False
    advice = "name another file with --out, or replace it with --overwrite"
    try:
        with open_tensors(out, WHAT) as file:
            begun = read_about(file).training.get("identity")
    except WsrError:
        raise WsrError(f"{shown(out)} exists, and is not an encoder: {advice}.") from None
    identity.require_same(Identity.read(begun), out, advice)
    return True


def _history(training: EncoderTraining, seen: Signals) -> dict[str, Any]:
    return {
        "dataset": seen.name,
        "instances": len(seen),
        "steps": training.step,
        "seconds": round(training.seconds),
        "seed": training.seed,
        "threads": torch.get_num_threads(),
        "device": str(training.device),
        "schedule": asdict(training.config),
        "identity": training.identity.record(),
    }
