"""From a zoo to a diffusion model, and from a model to a zoo of samples."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from wsr.data.emoji import families
from wsr.errors import WsrError, unknown_name
from wsr.fields.base import compute_dtype
from wsr.fields.representation import Representation
from wsr.formats.files import shown
from wsr.generators.diffusion.clusters import Clusters
from wsr.generators.diffusion.config import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.model import WeightDiffusion, draw, read_about
from wsr.generators.diffusion.training import Training, TrainRecord
from wsr.identity import Identity
from wsr.paths import cache_dir, taken
from wsr.symmetry import permuted_copies
from wsr.zoo.meta import completed
from wsr.zoo.zoo import Zoo

SAMPLED = "sampled"  # the split of what nobody fitted
BATCH = 64  # samples drawn together
SAMPLING_VERSION = 1  # counted up by hand whenever the same settings would draw other samples
VALIDATION = 10  # one of so many training weights of each class says when to stop


def train_diffusion(
    zoo: Zoo, out: str | Path, *, config: DiffusionConfig | None = None, steps: int | None = None,
    cls: str | None = None, seed: int = 0, copies: int = 1, overwrite: bool = False,
) -> Iterator[TrainRecord]:  # fmt: skip
    """Trains a model on a zoo's training split (of one class, where `cls` names it) and writes it to `out`. Goes on
    from its own checkpoint in the cache. config: by default that of the zoo's preset; steps: instead of its own, and
    all of them. copies: how often each weight is there, all but once with its ranks or neurons in another order.
    Where `out` is the model of this very run already, it is kept: one record says so. WsrError for a class that the zoo
    lacks, fewer than two weights, copies that the mask forbids, and where `out` is something else, with what differs;
    `overwrite` replaces it nevertheless.

    Where the config has clusters and the weights one class, the clusters are the model's classes.
    Where it has patience, every tenth training weight of each class says when to stop, and is not trained on.
    Held-out fits have no part in any of it. Of fewer than ten weights none is kept back, and all steps are trained."""
    config = config or diffusion_preset(zoo.meta["preset"], zoo.meta["representation"])
    if steps is not None:
        config = replace(config, steps=steps, epochs=None, patience=0)
    training = training_of(zoo, config, cls=cls, seed=seed, copies=copies)
    if not overwrite and (about := _written_before(Path(out), training.identity)):
        yield _kept(about, config)
        return
    checkpoint = cache_dir() / "training" / f"diffusion-{Path(out).stem[-60:]}-{training.identity.short}.safetensors"
    yield from training.run(checkpoint=checkpoint)
    training.model.to("cpu").save(out)
    checkpoint.unlink(missing_ok=True)


def _written_before(out: Path, identity: Identity) -> dict[str, Any] | None:
    """What the model at `out` says of itself where this very run has written it; None where nothing is there. WsrError
    for anything else."""
    if not taken(out):
        return None
    remedy = "name another file with --out, or replace it with --overwrite"
    try:
        about = read_about(out)["about"]
    except WsrError:
        raise WsrError(f"{shown(out)} exists, and is not a diffusion model: {remedy}.") from None
    identity.require_same(Identity.read(about.get("identity")), out, remedy)
    return about


def _kept(about: dict[str, Any], config: DiffusionConfig) -> TrainRecord:
    """The record that says so. NaN for a loss that the model does not state, as of a run without steps."""
    losses, step, seconds = about.get("losses"), about.get("steps"), about.get("seconds")
    loss = losses[-1] if isinstance(losses, list) and losses and isinstance(losses[-1], int | float) else math.nan
    step = step if isinstance(step, int) else config.steps
    seconds = seconds if isinstance(seconds, int | float) else 0.0
    return TrainRecord(step, step, loss, config.lr, seconds, done=True, kept=True)


def training_of(
    zoo: Zoo, config: DiffusionConfig, *, cls: str | None = None, seed: int = 0, copies: int = 1
) -> Training:  # fmt: skip
    """What `train_diffusion` runs."""
    rows = zoo.good("train")
    if cls is not None:
        if cls not in set(rows["class"]):
            raise unknown_name("class", cls, sorted(set(rows["class"])))
        rows = rows[rows["class"] == cls]
    if len(rows) < 2:
        raise WsrError(f"The zoo {zoo.path.name!r} has {len(rows)} training weights: two at least are needed.")
    rows, unseen = parts_of(rows, zoo.meta["dataset"]) if config.patience else (rows, rows[:0])
    weights, classes = zoo.weights(rows["id"].tolist()), rows["class"].tolist()
    validation = zoo.weights(unseen["id"].tolist()), unseen["class"].tolist()
    if config.clusters > 1 and len(set(classes)) == 1:
        clusters = Clusters.of(weights, config.clusters, seed)
        if len(clusters.names) > 1:
            classes, validation = clusters(weights), (validation[0], clusters(validation[0]))
    about = {"zoo": zoo.meta, "name": zoo.path.name, "trained_on": len(weights), "seed": seed, "copies": copies}
    about |= {"class": cls} if cls else {}
    weights, classes = permuted_copies(zoo.representation, weights, copies, seed), classes * copies
    model = WeightDiffusion.new(zoo.representation, weights, config, sorted(set(classes)), about, seed)
    training = Training(model, weights, classes, seed)
    if len(unseen):
        training.validation = validation
    training.dtype = compute_dtype(training.accelerator.device)
    return training


def parts_of(rows: pd.DataFrame, dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of an index to train on, and every `VALIDATION`-th of each class to say when to stop; of emoji whole
    families: one in another skin tone would say that what was learnt by heart is right."""
    names = pd.Series(families(dataset, rows["id"]), rows.index)
    number = names.groupby(rows["class"]).transform(lambda found: pd.factorize(found)[0])
    if number.max() < VALIDATION - 1:  # no class has ten: of all of them, then
        number = pd.Series(pd.factorize(names)[0], rows.index)
    unseen = number % VALIDATION == VALIDATION - 1
    return rows[~unseen], rows[unseen]


def sample_zoo(
    model: WeightDiffusion, out: str | Path, count: int, *, cls: str | None = None, guidance: float | None = None,
    steps: int = 100, seed: int = 0, end: float | None = None,
) -> Iterator[int]:  # fmt: skip
    """Writes `count` samples as a zoo of their own, which everything that opens a zoo can decode, and yields how many
    there are. A run that resumes draws the very samples that were missing. Their quality is NaN: there is no target."""
    end = model.config.end if end is None else end
    guidance = model.config.guidance if guidance is None else guidance
    how = {"model": model.about.get("name", ""), "guidance": guidance, "steps": steps, "seed": seed, "class": cls or ""}
    how |= {"end": end, "network": model.fingerprint(), "version": SAMPLING_VERSION}
    cls = None if cls == model.about.get("class") else cls  # of a model of one class, which has no other
    zoo = _empty(model.representation, model.about["zoo"], out, how)
    while len(zoo) < count:
        some = min(BATCH, count - len(zoo))
        noise = draw(some, model.representation.size, seed, len(zoo))
        classes = [cls] * some if cls else model.draw_classes(some, seed, len(zoo))
        _add(zoo, model.sample(some, cls=classes, guidance=guidance, steps=steps, noise=noise, end=end), classes)
        yield len(zoo)


def samples_zoo(model: Representation, meta: dict, weights: Float[Tensor, "n p"], out: str | Path, how: dict) -> Zoo:
    """Weights that another generator made, as such a zoo. meta: that of the zoo it has learnt from."""
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
