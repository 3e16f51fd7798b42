"""Trains a generator on a zoo, and writes samples of a generator as a zoo, for all kinds of generators."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted, shown, unknown_name
from wsr.fields.representation import Representation
from wsr.first_process import is_first_process
from wsr.generators.base import Generator, SampleSettings, TrainRecord, TrainSettings
from wsr.generators.metadata import WHAT, read_about
from wsr.generators.registry import named
from wsr.identity import Identity, content_hash
from wsr.paths import require_free
from wsr.run_files import Written, checkpoint_path, written_before
from wsr.symmetry import permuted_copies
from wsr.zoo.meta import completed, of_any_place
from wsr.zoo.zoo import Zoo

SAMPLED = "sampled"  # the split of samples, which are not fits
BATCH = 64  # samples drawn together
SAMPLING_VERSION = 1  # to be incremented when a code change makes the same settings draw different samples


def train_generator(
    kind: str, zoo: Zoo, out: str | Path, settings: TrainSettings | None = None, *, overwrite: bool = False
) -> Iterator[TrainRecord]:  # fmt: skip
    """Trains a generator of a registered kind on a zoo's training split and writes it to `out`. After a kill, the same
    call continues from its checkpoint in the cache, if its kind writes one. If `out` already holds the result of this
    very run, it is kept, and a single record with `kept` says so. WsrError for an unknown kind, for settings that do
    not fit the zoo, and if `out` is something else; the message says what differs. `overwrite` replaces it
    nevertheless. Of processes that train together, only the first writes."""
    out = require_free(out, overwrite=overwrite)
    run = named(kind).generator.training(zoo, settings or TrainSettings())
    if not overwrite and (written := written_before(out, run.identity, WHAT, _read)):
        yield _kept(written.about, run.steps)
        return
    checkpoint = checkpoint_path(f"{kind}-{out.stem[-60:]}", run.identity, ".safetensors")
    yield from run.stream(checkpoint)
    if not is_first_process():
        return
    run.generator.about["identity"] = run.identity.record()
    run.generator.to("cpu").save(out)
    checkpoint.unlink(missing_ok=True)


def _read(path: Path) -> Written:
    about = read_about(path)["about"]
    return Written(Identity.read(about.get("identity")), about)


def _kept(about: dict[str, Any], steps: int) -> TrainRecord:
    """Returns the record of a run whose result exists already. The loss is NaN if the generator does not state it, as
    for generators that are not trained in steps."""
    losses, step, seconds = about.get("losses"), about.get("steps"), about.get("seconds")
    loss = losses[-1] if isinstance(losses, list) and losses and isinstance(losses[-1], int | float) else math.nan
    step = step if isinstance(step, int) else steps
    seconds = seconds if isinstance(seconds, int | float) else 0.0
    return TrainRecord(step, step, loss, math.nan, seconds, done=True, kept=True)


def training_weights(
    zoo: Zoo, settings: TrainSettings, least: int = 2
) -> tuple[Float[Tensor, "n p"], list[str]]:  # fmt: skip
    """Returns the weights that a generator is trained on, and the class of each: all good fits of the training split,
    or those of one class, in as many copies as the settings say. WsrError for a class that the zoo lacks, for fewer
    than `least` weights, and for copies that the mask forbids."""
    rows = training_rows(zoo, settings.cls, least)
    weights = permuted_copies(zoo.representation, zoo.weights(rows["id"].tolist()), settings.copies, settings.seed)
    return weights, rows["class"].tolist() * settings.copies


def training_rows(zoo: Zoo, cls: str | None, least: int = 2) -> pd.DataFrame:
    """Returns the rows of the zoo's index that `training_weights` reads. Errors as there."""
    rows = zoo.good("train")
    if cls is not None:
        if cls not in set(rows["class"]):
            raise unknown_name("class", cls, sorted(set(rows["class"])))
        rows = rows[rows["class"] == cls]
    if len(rows) < least:
        held = counted(len(rows), "training weight")
        raise WsrError(f"The zoo {zoo.path.name!r} has {held}: at least {least} are needed.")
    return rows


def about_training(zoo: Zoo, settings: TrainSettings, count: int) -> dict[str, Any]:
    """Returns what `Generator.about` states about a training on `count` weights."""
    about = {"zoo": zoo.meta, "name": zoo.path.name, "trained_on": count, "seed": settings.seed}
    return about | ({"class": settings.cls} if settings.cls else {})


def training_identity(kind: str, version: int, zoo: Zoo, weights: Float[Tensor, "n p"], **parts: Any) -> Identity:
    """Identifies a training on these weights of a zoo. version: to be incremented when a code change makes the same
    settings train a different generator; parts: its settings and its seed."""
    decoder = {key: value for key, value in zoo.description.record().items() if key != "base"}
    if "field" in decoder:
        decoder["field"] = of_any_place(decoder["field"])
    return Identity.of(kind, version, decoder=decoder, weights=content_hash(weights), **parts)


def sample_zoo(
    generator: Generator, out: str | Path, count: int, settings: SampleSettings | None = None, **options: Any
) -> Iterator[int]:  # fmt: skip
    """Writes `count` samples as a zoo, which everything that opens a zoo can decode, and yields the number written so
    far. A run that is resumed draws exactly the missing samples. The quality of samples is NaN, since they have no
    target. options: fields of `SampleSettings`, if no settings are given. WsrError if `out` holds samples of another
    generator or of other settings, or more than `count`."""
    settings = settings or SampleSettings(**options)
    how = {"generator": generator.kind, "model": generator.about.get("name", ""), **generator.sampling(settings)}
    how |= {"network": generator.fingerprint(), "version": SAMPLING_VERSION}
    zoo = _empty(generator.representation, generator.about["zoo"], out, how)
    if len(zoo) > count:
        raise WsrError(
            f"{shown(out)} holds {counted(len(zoo), 'sample')} already, which cannot become {count}: name another "
            "folder, or ask for as many or more."
        )
    while len(zoo) < count:
        weights, classes = generator.draw(min(BATCH, count - len(zoo)), settings, len(zoo))
        _add(zoo, weights, classes)
        yield len(zoo)


def samples_zoo(
    model: Representation, meta: dict, weights: Float[Tensor, "n p"], out: str | Path, how: dict
) -> Zoo:  # fmt: skip
    """Writes weights of any origin as a zoo of samples. meta: that of the zoo whose weights they resemble; how: what
    the zoo states about their origin."""
    zoo = _empty(model, meta, out, how)
    _add(zoo, weights, [""] * len(weights))
    return zoo


def _empty(model: Representation, meta: dict, out: str | Path, how: dict) -> Zoo:
    same = ("dataset", "preset", "init", "sigma", "init_seed", "steps", "fit", "seed", "resolution")
    kept = {key: value for key, value in completed(meta).items() if key in same}
    return Zoo.create(out, model, **kept, sampled=how)


def _add(zoo: Zoo, weights: Float[Tensor, "n p"], classes: list[str]) -> None:
    row = {"split": SAMPLED, "quality": math.nan, "steps": 0, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    ids = (f"sample-{i:05d}" for i in range(len(zoo), len(zoo) + len(weights)))
    zoo.append(weights, [{"id": item, "class": cls, **row} for item, cls in zip(ids, classes, strict=True)])
