"""Trains a base on a data set and writes it to a file, for `wsr base` and precompute/."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, base_ids, load_base, save_base
from wsr.fitting.autodecoder import VERSION, BaseTraining
from wsr.fitting.resumable import TrainingRecord
from wsr.formats.files import shown
from wsr.identity import Identity, content_hash, in_words
from wsr.modalities.targets import Targets
from wsr.paths import assets_dir, cache_dir, require_free, taken
from wsr.presets import PresetConfig
from wsr.presets import preset as find_preset

NAMED = 5  # maximal number of zoos that a message names


def training_targets(signals: Signals, device: str = "cpu") -> Targets:
    """Returns the training targets of all signals in memory: 49 kB per image of 128×128, 0.2 MB per shape."""
    return signals.modality.targets(signals.modality.samples(signals), device)


def train_base(
    signals: Signals,
    out: str | Path,
    *,
    preset: str = "cpu",
    seed: int = 0,
    mask_seed: int = 0,
    device: str = "cpu",
    targets: Targets | None = None,
    overwrite: bool = False,
) -> Iterator[TrainingRecord]:
    """Trains a base on the training split of `signals` and writes it to `out`, yielding progress records. After a kill,
    the same call continues from its checkpoint in the cache; runs with other data, settings or seeds have other
    checkpoints. If `out` already holds the base of this very run, it is kept, and a single record with `kept` says so.

    targets: those of the training split, if the caller has them already. WsrError if no signal is in the training
    split, or if `out` is something else; the message says what differs and which zoos were fitted on the existing base.
    `overwrite` replaces it nevertheless.
    """
    out, seen = require_free(out, overwrite=overwrite), signals.where(split="train")
    if not len(seen):
        raise WsrError(f"{signals.name!r} has no signals for training.")
    settings = find_preset(preset, signals.modality)
    cheap = _identity(seen, settings, seed, mask_seed)
    if not overwrite:
        _require_same(out, cheap)  # fails early, before the data are read
    targets = training_targets(seen, device) if targets is None else targets
    training = BaseTraining(targets, settings.field, settings.base, seed, device)
    identity = Identity.of(cheap.method, cheap.version, **{**cheap.parts, **training.identity.parts})
    if not overwrite and _require_same(out, identity):
        yield TrainingRecord(training.steps, training.steps, float("nan"), 0.0, done=True, kept=True)
        return
    checkpoint = cache_dir() / "training" / f"base-{_file_name(signals.name)}-{preset}-{identity.short}.pt"
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
        "identity": identity.record(),
    }
    save_base(out, base, BaseInfo(signals.name, preset, mask_seed, history), latents, seen.ids)
    checkpoint.unlink(missing_ok=True)


def _identity(seen: Signals, settings: PresetConfig, seed: int, mask_seed: int) -> Identity:
    """Identifies a run by what is known before its data are read."""
    return Identity.of(
        "base", VERSION, dataset=seen.name, ids=content_hash(seen.ids), field=settings.field, schedule=settings.base,
        seed=seed, mask_seed=mask_seed,
    )  # fmt: skip


def _require_same(out: Path, identity: Identity) -> bool:
    """Tells whether `out` already holds the base of this run: False if nothing is there, WsrError if it is something
    else."""
    if not taken(out):
        return False
    advice = "name another file with --out, or replace it with --overwrite"
    try:
        base = load_base(out)
    except WsrError:
        raise WsrError(f"{shown(out)} exists, and is not a base: {advice}.") from None
    begun = _begun(out, base)
    # An old base does not state the hash of its data, and a run that has not read its data does not know it either:
    # only what both state is compared.
    common = begun.parts.keys() & identity.parts.keys()
    here = Identity.of(identity.method, identity.version, **{key: identity.parts[key] for key in common})
    changed = here.differences(Identity.of(begun.method, begun.version, **{key: begun.parts[key] for key in common}))
    if changed:
        raise WsrError(f"{str(out)!r} is another base ({in_words(changed)}){_standing(base)}: {advice}.")
    return True


def _begun(out: Path, base: BaseField) -> Identity:
    """Returns the identity of the run that trained a base, as far as its file states it."""
    info = base.info
    stated = Identity.read(info.training.get("identity"))
    if stated is not None:
        return stated
    known = {key: info.training[key] for key in ("seed", "schedule") if key in info.training}
    return Identity.of(
        "base", 1, dataset=info.dataset, ids=content_hash(base_ids(out)), field=base.config, mask_seed=info.mask_seed,
        **known,
    )  # fmt: skip


def _standing(base: BaseField) -> str:
    """Lists the zoos in assets/ that were fitted on a base, as part of a sentence."""
    names = []
    for path in sorted((assets_dir() / "zoos").glob("*/zoo.json")):
        try:
            if json.loads(path.read_text()).get("base_sha256") == base.info.sha256:
                names.append(path.parent.name)
        except (OSError, ValueError, AttributeError):
            continue  # not a readable zoo.json
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f", and the zoos {', '.join(names[:NAMED])}{more} stand on it"


def default_base_path(dataset: str, preset: str = "cpu", seed: int = 0, mask_seed: int = 0) -> Path:
    """Returns where `wsr base` writes by default: assets/bases/<data set>.safetensors, with the preset and seeds in the
    name where they are not the defaults."""
    parts = [preset if preset != "cpu" else "", f"s{seed}" if seed else "", f"m{mask_seed}" if mask_seed else ""]
    name = "-".join([dataset.replace("/", "-"), *filter(None, parts)])
    return assets_dir() / "bases" / f"{name}.safetensors"


def _file_name(dataset: str) -> str:
    return re.sub(r"[^\w.]+", "-", dataset)[-60:]
