"""Makes zoos of training trajectories: snapshots of the weights during fits, with their losses. Generators that learn
from checkpoints (G.pt) need them."""

import time
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fitting.loop import FitRecord, run_fit
from wsr.fitting.problem import make_problem
from wsr.fitting.threads import side_by_side, workers_for
from wsr.zoo.build import ZooRecord, attribute_columns, batch_size, require_same_run
from wsr.zoo.recipe import zoo_config, zoo_start
from wsr.zoo.zoo import Zoo


def snapshot_id(instance: str, step: int) -> str:
    """Returns the id of the row of an instance's snapshot."""
    return f"{instance}@{step}"


def build_trajectories(
    zoo: Zoo, signals: Signals, at: Sequence[int], *, seed: int | None = None, device: str = "cpu"
) -> Iterator[ZooRecord]:
    """Fits every signal that the zoo does not contain yet and stores its weights after each of the steps `at`. Each
    snapshot is a row `<id>@<step>`, with an additional column `loss`: the training loss of that step, before its
    update. Yields a record after each batch; a killed run loses at most the batches that were being fitted. seed: by
    default the zoo's. WsrError if another job is writing the zoo, or if it was begun with another seed, other data, or
    other snapshots."""
    if list(at) != zoo.meta.get("snapshots", list(at)):
        raise WsrError(f"The zoo {str(zoo.path)!r} holds snapshots at {zoo.meta['snapshots']}, not at {list(at)}.")
    with zoo.writing():
        yield from _build(zoo, signals, at, require_same_run(zoo, signals, seed), device)


def _build(zoo: Zoo, signals: Signals, at: Sequence[int], seed: int, device: str) -> Iterator[ZooRecord]:
    size, known, began = batch_size(zoo, device), set(zoo.ids), time.monotonic()
    left = signals.select([name for name in signals.ids if snapshot_id(name, at[-1]) not in known])
    batches = [left[first : first + size] for first in range(0, len(left), size)]
    workers = workers_for(device, len(batches))
    work = partial(_fit_batch, zoo, zoo_start(zoo), frozenset(at), workers, seed=seed, device=device)
    with side_by_side(work, batches, workers) as results:
        for weights, rows in results:
            zoo.append(weights, rows)
            done = len(zoo) // len(at)
            yield ZooRecord(done, len(signals), float(zoo.index["quality"].mean()), time.monotonic() - began)


def _fit_batch(
    zoo: Zoo, start: Float[Tensor, "p"], at: frozenset[int], workers: int, items: Signals, *, seed: int, device: str
) -> tuple[Float[Tensor, "n p"], list[dict]]:
    """Returns the snapshots of one batch and their rows of the index."""
    model, dtype, config = zoo.representation.to(device), getattr(torch, zoo.meta["dtype"]), zoo_config(zoo)
    problem = make_problem(items, zoo.resolution, seed, device, shared_points=config.shared_points)
    weights, rows = [], []
    for record in run_fit(problem, model, start, config, zoo.resolution, at, dtype):
        stored = record.weights.to(dtype)
        weights.append(stored)
        rows += _rows(items, record, stored, problem.evaluator.quality(model, stored.float()), workers)
    return torch.cat(weights), rows


def _rows(
    items: Signals, record: FitRecord, stored: Float[Tensor, "n p"], quality: Float[np.ndarray, "n"], workers: int
) -> list[dict]:  # fmt: skip
    finite = torch.isfinite(stored).all(1).tolist()
    return [
        {
            "id": snapshot_id(signal.id, record.step),
            "class": signal.cls,
            "split": signal.split,
            "quality": float(quality[i]),
            "steps": record.step,
            "seconds": record.seconds / workers / len(items),
            "target_sha256": signal.sha256(),
            "status": "ok" if finite[i] else "diverged: weights are not finite",
            "loss": float(record.loss[i]),
            **attribute_columns(signal),
        }
        for i, signal in enumerate(items)
    ]
