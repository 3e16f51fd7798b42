"""How fast a zoo is built with Ray on one machine, beside the threads of one process, and with two workers killed in
the middle. All three make the same zoo."""

import os
import signal
import tempfile
import time
from pathlib import Path

from precompute.experiment import Cell, Context, of_this_machine
from precompute.selection import zoo_signals
from precompute.tables import write_tables
from wsr.data import Signals
from wsr.fields import registry
from wsr.fitting.fit import representation_for
from wsr.zoo import Zoo, build_zoo
from wsr.zoo.cluster import LOCAL, cluster

DATA, COUNT, WORKERS, KILLED = "shapes10", 200, 4, 2
TASK = "ray::_work"  # what Ray calls a process that is fitting


def run(cell: Cell, context: Context) -> None:
    signals = zoo_signals(DATA)[:COUNT]
    with tempfile.TemporaryDirectory() as folder:
        made = [_timed(Path(folder), context, signals, killed) for killed in (None, 0, KILLED)]
    rows, zoos = zip(*made, strict=True)
    for row in rows:
        row |= {"fits a second": COUNT / row["seconds"], "of threads": rows[0]["seconds"] / row["seconds"]}
    same = all(zoo == zoos[0] for zoo in zoos)
    paths = [context.path(f"reports/cluster-speed.{ending}") for ending in ("json", "md")]
    write_tables(paths, list(rows), data=DATA, fits=COUNT, same=same)


def _timed(folder: Path, context: Context, signals: Signals, killed: int | None) -> tuple[dict, list]:
    """killed: how many workers of a cluster are killed once a quarter of the fits are there; None for threads. Returns
    the row, and the ids and hashes of the zoo."""
    name, base = registry.DEFAULT, context.path(f"bases/{DATA}.safetensors")
    model = representation_for(name, base, signals.modality, preset=context.preset)
    steps = context.settings(DATA).fit.steps
    zoo = Zoo.create(folder / str(killed), model, dataset=DATA, preset=context.preset, init="centered", sigma=0.02,
                     init_seed=0, steps=steps)  # fmt: skip
    spread = {} if killed is None else {"spread": cluster(LOCAL), "workers": WORKERS}
    begun, first, left = time.monotonic(), 0.0, killed or 0
    for record in build_zoo(zoo, signals, **spread):
        first = first or time.monotonic() - begun
        if left and record.done >= COUNT / 4 and (there := fitting_processes()):
            os.kill(min(there), signal.SIGKILL)
            left -= 1
    seconds = time.monotonic() - begun
    row = {"way": "threads" if killed is None else f"{WORKERS} workers", "killed": (killed or 0) - left}
    found = Zoo.open(zoo.path).index[["id", "target_sha256"]].values.tolist()
    return row | {"seconds": seconds, "until the first batch": first}, found


def fitting_processes() -> set[int]:
    """The processes that are fitting for this one: Ray names them by their task."""
    parents, found = {}, set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                state, name = (entry / "stat").read_text(), (entry / "cmdline").read_text()
            except OSError:
                continue  # it has ended meanwhile
            parents[int(entry.name)] = int(state.rpartition(")")[2].split()[1])
            if name.startswith(TASK):
                found.add(int(entry.name))

    def descends(process: int) -> bool:
        return process == os.getpid() or (process in parents and descends(parents[process]))

    return {process for process in found if descends(process)}


EXPERIMENT = of_this_machine(
    name="cluster_speed",
    title="`reports/cluster-speed.*`: building a zoo with Ray on one machine, also with two workers killed, beside the "
    "threads of one process",
    needs=(f"bases/{DATA}.safetensors",),
    makes=("reports/cluster-speed.json", "reports/cluster-speed.md"),
    run=run,
    place=27,
    size="1 kB",
    time="35 min",
)
