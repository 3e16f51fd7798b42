"""Making a zoo: fits batch by batch, appended as they are done: a killed run loses at most the batches in hand."""

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import torch

from wsr.data.signals import Signals
from wsr.fitting.fit import FitResult, run_fit
from wsr.fitting.problem import make_problem
from wsr.presets import preset as find_preset
from wsr.zoo.zoo import Zoo


@dataclass
class ZooRecord:
    """Progress of a zoo: instances done of all, the mean quality so far, and the seconds of this run."""

    done: int
    total: int
    quality: float
    seconds: float


def build_zoo(
    zoo: Zoo, signals: Signals, *, seed: int = 0, device: str = "cpu", workers: int = 1
) -> Iterator[ZooRecord]:
    """Fits every signal that the zoo does not hold yet, by the zoo's own settings and in the order given, and yields
    after each batch.

    workers: processes that fit a batch each, sharing the cores. Small products do not fill two cores: two processes of
    one thread each make a zoo 1.3 times faster than one process of two. The zoo is the same whatever their number.
    """
    size = find_preset(zoo.meta["preset"], signals.dim).fit.batch
    known, began = set(zoo.ids), time.monotonic()
    left = signals.select([name for name in signals.ids if name not in known])
    batches = [left[first : first + size] for first in range(0, len(left), size)]
    with _fitted(zoo, batches, seed, device, workers) as results:
        for items, result in zip(batches, results, strict=True):
            zoo.append(result.weights, _rows(items, result, zoo.meta["steps"]))
            yield ZooRecord(len(zoo), len(signals), float(zoo.index["quality"].mean()), time.monotonic() - began)


@contextmanager
def _fitted(zoo: Zoo, batches: list[Signals], seed: int, device: str, workers: int) -> Iterator[Iterable[FitResult]]:
    """The batches' results in their order, as they come."""
    if workers <= 1 or len(batches) <= 1:
        yield (_fit_batch(zoo, items, seed, device) for items in batches)
        return
    # spawned, not forked: a forked child inherits torch's threads as they are, and may wait for one that is not there
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _share_cores, (workers,))
    try:
        yield pool.map(partial(_fit_batch_at, zoo.path.resolve(), seed=seed, device=device), batches)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _share_cores(workers: int) -> None:
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // workers))


def _fit_batch_at(path: Path, items: Signals, seed: int, device: str) -> FitResult:
    result = _fit_batch(_opened(path), items, seed, device)
    return replace(result, representation=None)  # the base would travel with every batch


@lru_cache(maxsize=1)
def _opened(path: Path) -> Zoo:
    return Zoo.open(path)


def _fit_batch(zoo: Zoo, items: Signals, seed: int, device: str) -> FitResult:
    """The quality is that of the weights as stored, in the zoo's own precision."""
    settings = find_preset(zoo.meta["preset"], items.dim)
    config = replace(settings.fit, steps=zoo.meta["steps"])
    model = zoo.representation.to(device)
    start = model.initial(zoo.meta["init"], zoo.meta["sigma"], zoo.meta["init_seed"])
    problem = make_problem(items, settings.resolution, seed, device)
    *_, last = run_fit(problem, model, start, config, settings.resolution, 0, getattr(torch, zoo.meta["dtype"]))
    return replace(last.result, weights=last.result.weights.cpu())


def _rows(items: Signals, result: FitResult, steps: int) -> list[dict]:
    share = result.seconds / len(items)
    return [
        {
            "id": signal.id,
            "class": signal.cls,
            "split": signal.split,
            "quality": float(quality),
            "steps": steps,
            "seconds": share,
            "target_sha256": signal.sha256(),
            "status": status,
        }
        for signal, quality, status in zip(items, result.quality, result.status, strict=True)
    ]
