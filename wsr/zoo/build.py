"""Making a zoo: fits batch by batch, appended as they are done: a killed run loses at most the batch in hand."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

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


def build_zoo(zoo: Zoo, signals: Signals, *, seed: int = 0, device: str = "cpu") -> Iterator[ZooRecord]:
    """Fits every signal that the zoo does not hold yet, by the zoo's own settings and in the order given, and yields
    after each batch."""
    settings = find_preset(zoo.meta["preset"], signals.dim)
    config = replace(settings.fit, steps=zoo.meta["steps"])
    model = zoo.representation.to(device)
    start = model.initial(zoo.meta["init"], zoo.meta["sigma"], zoo.meta["init_seed"])
    known, began = set(zoo.ids), time.monotonic()
    left = signals.select([name for name in signals.ids if name not in known])
    for first in range(0, len(left), config.batch):
        items = left[first : first + config.batch]
        problem = make_problem(items, settings.resolution, seed, device)
        *_, last = run_fit(problem, model, start, config, settings.resolution, 0, getattr(torch, zoo.meta["dtype"]))
        zoo.append(*_rows(items, last.result, zoo))
        yield ZooRecord(len(zoo), len(signals), float(zoo.index["quality"].mean()), time.monotonic() - began)


def _rows(items: Signals, result: FitResult, zoo: Zoo) -> tuple[torch.Tensor, list[dict]]:
    """The batch as it will be read back: the quality is that of the weights as stored, in the zoo's own precision."""
    share = result.seconds / len(items)
    rows = [
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
    return result.weights, rows
