"""Trains a base on a data set and writes it to a file, for `wsr base` and precompute/."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import WHAT, BaseInfo, base_ids, load_base, save_base
from wsr.first_process import is_first_process, of_this_process
from wsr.fitting.autodecoder import VERSION, BaseTraining
from wsr.fitting.resumable import TrainingRecord
from wsr.identity import Identity, content_hash
from wsr.modalities.targets import Targets
from wsr.paths import assets_dir, require_free
from wsr.presets import PresetConfig
from wsr.presets import preset as find_preset
from wsr.run_files import Written, checkpoint_path, written_before

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
    `overwrite` replaces it nevertheless. Of processes that train together, only the first writes.
    """
    out, seen = require_free(out, overwrite=overwrite), signals.where(split="train")
    if not len(seen):
        raise WsrError(f"{signals.name!r} has no signals for training.")
    settings, device = find_preset(preset, signals.modality), of_this_process(device)
    cheap = _identity(seen, settings, seed, mask_seed)
    if not overwrite:
        _written_before(out, cheap)  # fails early, before the data are read
    targets = training_targets(seen, device) if targets is None else targets
    training = BaseTraining(targets, settings.field, settings.base, seed, device)
    identity = Identity.of(cheap.method, cheap.version, **{**cheap.parts, **training.identity.parts})
    if not overwrite and _written_before(out, identity):
        yield training.kept()
        return
    checkpoint = checkpoint_path(f"base-{_file_name(signals.name)}-{preset}", identity)
    yield from training.run(checkpoint=checkpoint)
    if not is_first_process():
        return
    base, latents = training.finish()
    history = {**training.history(len(seen)), "identity": identity.record()}
    save_base(out, base, BaseInfo(signals.name, preset, mask_seed, history), latents, seen.ids)
    checkpoint.unlink(missing_ok=True)


def _identity(seen: Signals, settings: PresetConfig, seed: int, mask_seed: int) -> Identity:
    """Identifies a run by what is known before its data are read."""
    return Identity.of(
        "base", VERSION, dataset=seen.name, ids=content_hash(seen.ids), field=settings.field, schedule=settings.base,
        seed=seed, mask_seed=mask_seed,
    )  # fmt: skip


def _written_before(out: Path, identity: Identity) -> Written | None:
    return written_before(out, identity, WHAT, partial(_read, identity=identity))


def _read(path: Path, identity: Identity) -> Written:
    """Reads what a base states about its run. An old base does not state the hash of its data, and a run that has not
    read its data does not know it either: parts that only one of the two states count as equal."""
    info = load_base(path).info
    begun = _begun(path, info)
    stated = {key: value for key, value in begun.parts.items() if key in identity.parts}
    same = Identity(begun.method, begun.version, {**identity.parts, **stated})
    return Written(same, info.training, _standing(info))


def _begun(out: Path, info: BaseInfo) -> Identity:
    """Returns the identity of the run that trained a base, as far as its file states it."""
    stated = Identity.read(info.training.get("identity"))
    if stated is not None:
        return stated
    known = {key: info.training[key] for key in ("seed", "schedule") if key in info.training}
    return Identity.of(
        "base", 1, dataset=info.dataset, ids=content_hash(base_ids(out)), field=load_base(out).config,
        mask_seed=info.mask_seed, **known,
    )  # fmt: skip


def _standing(info: BaseInfo) -> str:
    """Lists the zoos in assets/ that were fitted on a base, as part of a sentence."""
    names = []
    for path in sorted((assets_dir() / "zoos").glob("*/zoo.json")):
        try:
            if json.loads(path.read_text()).get("base_sha256") == info.sha256:
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
