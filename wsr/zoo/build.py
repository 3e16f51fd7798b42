"""Builds a zoo: fits batch by batch and appends what is done every few seconds, so that a killed run loses at most
these seconds and the batches that were being fitted."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Attribute, Signal, Signals
from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.fitting.encoder_files import encoder_for
from wsr.fitting.settings import FitSettings
from wsr.fitting.threads import THREADS, Spread
from wsr.formats.tables import attribute_column
from wsr.zoo.meta import FittedAs
from wsr.zoo.recipe import FIRST, Batch, Recipe
from wsr.zoo.zoo import Zoo

APPEND_EVERY = 2.0  # seconds; a batch that took longer is appended at once
GPU_BATCH = 256  # instances fitted together on a GPU; the preset's batch suits a CPU's cache and would not fill it


@dataclass
class ZooRecord:
    """Progress of a zoo: the number of instances done, their total, the mean quality so far, and the seconds of this
    run."""

    done: int
    total: int
    quality: float
    seconds: float


def build_zoo(
    zoo: Zoo, signals: Signals, *, seed: int | None = None, device: str = "cpu", workers: int | None = None,
    spread: Spread = THREADS,
) -> Iterator[ZooRecord]:  # fmt: skip
    """Fits every signal that the zoo does not contain yet, with the zoo's own settings and in the order given, and
    yields a record after each batch.

    seed: of the points that fits draw; by default the zoo's. workers: number of threads that share the cores and fit a
    batch each; by default one per core. spread: over what batches are spread instead of threads (`wsr.zoo.cluster`).
    The result depends on neither. WsrError if another job is writing the zoo, if the zoo was begun with another seed,
    if one of its instances was fitted to another target than the signal with that id, or for less than one worker.
    """
    if workers is not None and workers < 1:
        raise WsrError(f"A zoo is fitted by one worker or more, not {workers}.")
    with zoo.writing():
        yield from _build(zoo, signals, require_same_run(zoo, signals, seed), device, workers, spread)


def _build(
    zoo: Zoo, signals: Signals, seed: int, device: str, workers: int | None, spread: Spread = THREADS
) -> Iterator[ZooRecord]:
    if zoo.meta["init"] == FIRST and not len(zoo) and len(signals) > 1:
        # all other fits start from this one, so it must be a training instance: no fit may depend on a held-out one
        first = next((i for i, signal in enumerate(signals) if signal.split == "train"), 0)
        for record in _build(zoo, signals[first : first + 1], seed, device, None):
            yield replace(record, total=len(signals))
    size, known, began = batch_size(zoo, device), set(zoo.ids), time.monotonic()
    left = signals.select([name for name in signals.ids if name not in known])
    batches = [left[first : first + size] for first in range(0, len(left), size)]
    workers = spread.workers(device, len(batches), workers)
    with spread.run(Recipe.of(zoo, seed, device).fit, batches, workers) as results, _Appending(zoo) as done:
        for items, batch in zip(batches, results, strict=True):
            done.add(*_stored(items, batch, batch.seconds / workers / len(items)))
            yield ZooRecord(done.count, len(signals), done.quality, time.monotonic() - began)


class _Appending:
    """Appends batches to a zoo, those of APPEND_EVERY seconds together: each time the last weight file and the index
    are written anew, which takes as long for one short fit as for many. Leaving the context appends the rest."""

    def __init__(self, zoo: Zoo):
        self.zoo, self.since = zoo, time.monotonic()
        self.weights: list[Float[Tensor, "n p"]] = []
        self.rows: list[dict] = []
        self.qualities: list[float] = zoo.index["quality"].tolist()

    def __enter__(self) -> "_Appending":
        return self

    def __exit__(self, *_: object) -> None:
        self.append()

    @property
    def count(self) -> int:
        """Instances that are done, whether they are on disk yet or not."""
        return len(self.qualities)

    @property
    def quality(self) -> float:
        """The mean of their qualities, except of those that have none because the fit diverged."""
        known = [quality for quality in self.qualities if not math.isnan(quality)]
        return sum(known) / len(known) if known else math.nan

    def add(self, weights: Float[Tensor, "n p"], rows: list[dict]) -> None:
        if len(self.rows) + len(rows) > self.zoo.rows_per_file:
            self.append()  # together they would make a file that is too large
        self.weights.append(weights)
        self.rows += rows
        self.qualities += [row["quality"] for row in rows]
        if time.monotonic() - self.since >= APPEND_EVERY:
            self.append()

    def append(self) -> None:
        if self.rows:
            self.zoo.append(torch.cat(self.weights), self.rows)
            self.weights, self.rows = [], []
        self.since = time.monotonic()


def require_same_run(zoo: Zoo, signals: Signals, seed: int | None) -> int:
    """Returns the seed of the zoo's points. WsrError if another seed is given, or if a signal is not the target that
    the zoo's instance with that id was fitted to."""
    if seed not in (None, zoo.meta["seed"]):
        begun = zoo.meta["seed"]
        raise WsrError(f"The zoo {str(zoo.path)!r} was begun with seed {begun}: it cannot go on with seed {seed}.")
    known = dict(zip(zoo.instances(zoo.ids), zoo.index["target_sha256"], strict=True))
    for signal in signals:
        if known.get(signal.id) and known[signal.id] != signal.sha256():
            raise WsrError(
                f"{signal.id!r} of {signals.name!r} is not what the zoo {str(zoo.path)!r} holds under this id: the zoo "
                "was begun with other data. Choose another folder, or remove it."
            )
    return zoo.meta["seed"]


def fit_settings(model: Representation, asked: FitSettings) -> FittedAs:
    """Returns the settings of a new zoo that say how its instances are fitted. WsrError if they are to start where an
    encoder says and there is none for `model`."""
    config = asked.config(model.name, model.modality)
    if not asked.encoded(model.modality):
        return {"steps": config.steps, "fit": config.stated()}
    encoder, plain = encoder_for(model), replace(asked, steps=None).config(model.name, model.modality)
    config = asked.config(model.name, model.modality, encoder.config.fit_steps)
    encoded = {"sha256": encoder.sha256, "plain_steps": plain.steps}
    return {"steps": config.steps, "fit": config.stated(), "encoded": encoded}


def batch_size(zoo: Zoo, device: str) -> int:
    """Returns how many instances are fitted together."""
    return GPU_BATCH if device.startswith("cuda") else zoo.meta["fit"]["batch"]


def attribute_columns(signal: Signal) -> dict[str, Attribute]:
    """Returns the columns of an index that hold the signal's attributes."""
    return {attribute_column(name): value for name, value in signal.attributes.items()}


def _stored(items: Signals, batch: Batch, seconds: float) -> tuple[Float[Tensor, "n p"], list[dict]]:
    """Returns the weights and their rows of the index. seconds: per instance, of the whole machine."""
    return batch.weights, [
        {
            "id": signal.id,
            "class": signal.cls,
            "split": signal.split,
            "quality": float(quality),
            "steps": steps,
            "seconds": seconds,
            "target_sha256": sha256,
            "status": status,
            **attribute_columns(signal),
        }
        for signal, quality, steps, sha256, status in zip(
            items, batch.quality, batch.steps, batch.hashes, batch.status, strict=True
        )
    ]
