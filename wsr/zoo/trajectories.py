"""Fits on their way: snapshots of the weights with their losses, as a zoo of its own. Generators that learn from
checkpoints (G.pt) need them."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from wsr.data.signals import Signals
from wsr.fitting.loop import FitRecord, run_fit
from wsr.fitting.problem import make_problem
from wsr.presets import preset as find_preset
from wsr.zoo.build import ZooRecord, zoo_start
from wsr.zoo.zoo import Zoo


def snapshot_id(instance: str, step: int) -> str:
    return f"{instance}@{step}"


def build_trajectories(
    zoo: Zoo, signals: Signals, at: Sequence[int], *, seed: int = 0, device: str = "cpu"
) -> Iterator[ZooRecord]:
    """Fits every signal that the zoo does not hold yet and stores its weights after each of the steps `at`: a row
    `<id>@<step>` for each, with the column `loss` (of that step, before its update) beside a zoo's own. Yields after
    each batch; a kill loses at most the batch in hand."""
    settings, meta = find_preset(zoo.meta["preset"], signals.dim), zoo.meta
    config = replace(settings.fit, steps=meta["steps"], **meta["fit"])
    model, start = zoo.representation.to(device), zoo_start(zoo).to(device)
    known, began, dtype = set(zoo.ids), time.monotonic(), getattr(torch, meta["dtype"])
    left = signals.select([name for name in signals.ids if snapshot_id(name, at[-1]) not in known])
    for first in range(0, len(left), config.batch):
        items = left[first : first + config.batch]
        problem = make_problem(items, settings.resolution, seed, device)
        weights, rows = [], []
        for record in run_fit(problem, model, start, config, settings.resolution, frozenset(at), dtype):
            stored = record.weights.to(dtype)
            weights.append(stored)
            rows += _rows(items, record, problem.truth.quality(model, stored.float()))
        zoo.append(torch.cat(weights), rows)
        done = len(zoo) // len(at)
        yield ZooRecord(done, len(signals), float(zoo.index["quality"].mean()), time.monotonic() - began)


def _rows(items: Signals, record: FitRecord, quality: Float[np.ndarray, "n"]) -> list[dict]:
    finite = torch.isfinite(record.weights).all(1).tolist()
    return [
        {
            "id": snapshot_id(signal.id, record.step),
            "class": signal.cls,
            "split": signal.split,
            "quality": float(quality[i]),
            "steps": record.step,
            "seconds": record.seconds / len(items),
            "target_sha256": signal.sha256(),
            "status": "ok" if finite[i] else "diverged: weights are not finite",
            "loss": float(record.loss[i]),
        }
        for i, signal in enumerate(items)
    ]
