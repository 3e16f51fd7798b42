"""What a zoo of a million fits costs: its index, which is written anew whenever fits are appended, measured at growing
numbers of rows, and the hours of fitting that the measured rates of other reports come to."""

import hashlib
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from precompute.experiment import Cell, Context, of_this_machine
from precompute.tables import write_json, write_tables
from wsr.presets import PRESETS
from wsr.zoo import Zoo

ROWS = (10_000, 100_000, 1_000_000)
FITS, MACHINES, CARDS = 1_000_000, 100, 8
OF = {"emoji": "emoji-mlora-asym", "shapes10": "shapes10-mlora-asym"}  # whose rows are repeated


def run(cell: Cell, context: Context) -> None:
    table, text = (context.path(f"reports/million.{ending}") for ending in ("json", "md"))
    zoo = Zoo.open(OF["emoji"])
    rows = [_index(zoo.index, count) for count in ROWS]
    write_tables([text], rows)
    numbers = zoo.weights(zoo.ids[:1]).shape[1]
    weights = {"numbers": numbers, "gigabytes": FITS * numbers * 2 / 1e9, "files": -(-FITS // zoo.rows_per_file)}
    write_json(table, {"rows": rows, "fits": FITS, "weights": weights, "hours": _hours(context)})


def _index(index: pd.DataFrame, count: int) -> dict:
    """CPU seconds of writing an index of so many rows, which each append does, and of reading it."""
    numbers = np.arange(count) % len(index)
    names = [f"{i:07d}-{name}" for i, name in enumerate(index["id"].iloc[numbers])]
    hashes = [hashlib.sha256(name.encode()).hexdigest() for name in names]  # repeated ones would be compressed
    quality = np.random.default_rng(0).normal(33.0, 3.0, count)
    many = index.iloc[numbers].assign(id=names, target_sha256=hashes, quality=quality)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.parquet"
        begun = time.process_time()
        many.to_parquet(path, index=False)
        written = time.process_time()
        found = pd.read_parquet(path)
        read = time.process_time()
        megabytes = path.stat().st_size / 1e6
    memory = found.memory_usage(deep=True).sum() / 1e6
    return {
        "rows": count, "megabytes": megabytes, "megabytes in memory": memory, "seconds to write": written - begun,
        "seconds to read": read - written,
    }  # fmt: skip


def _hours(context: Context) -> dict[str, float]:
    """Hours of FITS fits at the rates that were measured: of MACHINES machines of two cores, and of CARDS GPUs."""
    found = {}
    for data in OF:
        bench = json.loads(context.path(f"reports/bench-fit-{data}.json").read_text())
        found[f"{data}, {MACHINES} machines"] = FITS * bench["batched"]["seconds"] / MACHINES / 3600
    report = json.loads(context.path("reports/gpu-report.json").read_text())
    for preset, rate in _best_rates(report).items():
        found[f"{preset} preset, {CARDS} GPUs"] = FITS / rate / CARDS / 3600
    return found


def _best_rates(report: dict) -> dict[str, float]:
    """The most fits a second of one GPU, by preset."""
    stages = {preset: report["stages"][f"fits at {preset}"]["result"]["rows"] for preset in PRESETS}
    return {preset: max(row.get("fits_per_second", 0.0) for row in rows) for preset, rows in stages.items()}


EXPERIMENT = of_this_machine(
    name="million",
    title="`reports/million.*`: what a million fits cost, from measured rates, and the index of so many",
    needs=tuple(f"reports/bench-fit-{data}.json" for data in OF),  # and gpu-report.json, which tools/gpu_check.sh makes
    makes=("reports/million.json", "reports/million.md"),
    run=run,
    place=27,
    size="2 kB",
    time="1 min",
)
