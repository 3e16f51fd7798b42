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
from jaxtyping import Float
from torch import Tensor

from wsr.data.signals import Signals
from wsr.fitting.fit import FitResult, run_fit
from wsr.fitting.problem import make_problem
from wsr.presets import FitConfig
from wsr.presets import preset as find_preset
from wsr.zoo.zoo import Zoo

FIRST = "first"  # the init of a zoo whose first instance starts all others
RETRY = 0.25  # of the learning rate, for what diverged


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
    if zoo.meta["init"] == FIRST and not len(zoo) and len(signals) > 1:
        for record in build_zoo(zoo, signals[:1], seed=seed, device=device):
            yield replace(record, total=len(signals))
    size = find_preset(zoo.meta["preset"], signals.dim).fit.batch
    known, began = set(zoo.ids), time.monotonic()
    left = signals.select([name for name in signals.ids if name not in known])
    batches = [left[first : first + size] for first in range(0, len(left), size)]
    with _fitted(zoo, batches, seed, device, workers) as results:
        for items, result in zip(batches, results, strict=True):
            zoo.append(*_stored(zoo, items, result))
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
    """The quality is that of the weights as stored, in the zoo's own precision. What diverges is tried once more, at a
    lower learning rate."""
    settings, meta = find_preset(zoo.meta["preset"], items.dim), zoo.meta
    model = zoo.representation.to(device)
    config = replace(settings.fit, steps=meta["steps"], **meta["fit"])
    start = zoo_start(zoo).to(device)

    def fitted(part: Signals, config: FitConfig) -> FitResult:
        problem = make_problem(part, settings.resolution, seed, device)
        *_, last = run_fit(problem, model, start, config, settings.resolution, 0, getattr(torch, meta["dtype"]))
        return replace(last.result, weights=last.result.weights.cpu())

    result = fitted(items, config)
    for i, status in enumerate(result.status):
        if status != "ok":
            again = fitted(items[i : i + 1], replace(config, lr=config.lr * RETRY))
            result.weights[i], result.quality[i], result.status[i] = again.weights[0], again.quality[0], again.status[0]
            result.seconds += again.seconds
    return result


def zoo_start(zoo: Zoo) -> Float[Tensor, "p"]:
    """Where all of a zoo's fits begin: the representation's shared start, or, with `first`, its first instance (the
    trick of HyperDiffusion for standalone MLPs, section 8.1), itself fitted from that start."""
    if zoo.meta["init"] == FIRST:
        if len(zoo):
            return zoo.weights(zoo.ids[:1])[0]
        return zoo.representation.initial("centered", zoo.meta["sigma"], zoo.meta["init_seed"])
    return zoo.representation.initial(zoo.meta["init"], zoo.meta["sigma"], zoo.meta["init_seed"])


def _stored(zoo: Zoo, items: Signals, result: FitResult) -> tuple[Float[Tensor, "n p"], list[dict]]:
    """The weights and their rows of the index."""
    share = result.seconds / len(items)
    return result.weights, [
        {
            "id": signal.id,
            "class": signal.cls,
            "split": signal.split,
            "quality": float(quality),
            "steps": zoo.meta["steps"],
            "seconds": share,
            "target_sha256": signal.sha256(),
            "status": status,
        }
        for signal, quality, status in zip(items, result.quality, result.status, strict=True)
    ]
