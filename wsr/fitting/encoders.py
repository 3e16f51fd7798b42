"""Trains an encoder of starts for a base and writes it to a file, for `wsr encoder` and precompute/."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import base_path, load_base
from wsr.fields.representation import Representation
from wsr.fitting.bases import training_targets
from wsr.fitting.encoder import EncoderConfig
from wsr.fitting.encoder_files import WHAT, encoder_path, read_about, save_encoder
from wsr.fitting.encoder_training import EncoderTraining
from wsr.fitting.fit import representation_for
from wsr.fitting.resumable import TrainingRecord
from wsr.formats.tensors import open_tensors
from wsr.identity import Identity
from wsr.modalities import Modality
from wsr.paths import require_free
from wsr.presets import preset as find_preset
from wsr.run_files import Written, checkpoint_path, written_before

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
    if steps is not None and steps < 1:
        raise WsrError(f"An encoder is trained for one step or more, not {steps}.")
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
    if not overwrite and written_before(out, training.identity, "an encoder", _read):
        yield training.kept()
        return
    checkpoint = checkpoint_path(f"encoder-{out.stem[-60:]}", training.identity)
    yield from training.run(checkpoint=checkpoint)
    encoder = training.finish(training_targets(unseen, device) if len(unseen) else targets)
    save_encoder(out, encoder, {"dataset": seen.name, **training.history(len(seen))})
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


def _read(path: Path) -> Written:
    with open_tensors(path, WHAT) as file:
        training = read_about(file).training
    return Written(Identity.read(training.get("identity")), training)
