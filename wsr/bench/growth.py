"""`wsr bench growth`: measures whether the time per instance and the memory stay constant as a zoo grows."""

import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from wsr.data import Signals
from wsr.errors import counted
from wsr.fitting.fit import representation_for
from wsr.zoo import Zoo, build_zoo

SIZES = (64, 256, 1024, 4096)
STEPS = 20  # steps of each fit: a cost that grows with the zoo shows earlier with short fits


def bench_growth(
    signals: Signals,
    base: str,
    sizes: tuple[int, ...] = SIZES,
    workers: int | None = None,
    say: Callable[[str], None] = print,
) -> list[dict]:
    """Builds zoos of growing size from scratch and measures seconds per instance and this process's peak memory. If a
    data set is smaller than a zoo, its signals are repeated under new ids."""
    rows = []
    for size in sizes:
        model = representation_for("mlora-asym", base, signals.modality)
        with tempfile.TemporaryDirectory() as folder:
            settings = dict(dataset=signals.name, preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=STEPS)
            zoo = Zoo.create(Path(folder) / "zoo", model, **settings)
            begun = time.perf_counter()
            for _ in build_zoo(zoo, repeated(signals, size), workers=workers):
                pass
            seconds = (time.perf_counter() - begun) / size
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        rows.append({"instances": size, "seconds": seconds, "peak_bytes": peak, "steps": STEPS})
        say(f"{counted(size, 'instance')}: {1000 * seconds:.1f} ms an instance, {peak / 2**30:.2f} GiB at the peak")
    return rows


def repeated(signals: Signals, count: int) -> Signals:
    items = (replace(signal, id=f"{signal.id}-{i}") for i, signal in enumerate(islice(cycle(signals), count)))
    return Signals(signals.name, signals.dim, items, signals.modality)
