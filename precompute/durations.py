"""How long cells take: what a run measured, what an experiment declares, or an estimate by speeds that were measured on
a GPU."""

import re
from typing import NamedTuple

import numpy as np

from precompute import records
from precompute.experiment import Cell
from precompute.plan import Plan

GPU = "reports/gpu-report.json"
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?) (s|min|h)\b")
_OF_ONE = re.compile(r"\b(each|a zoo|a cell)\b")


class Duration(NamedTuple):
    """Seconds of a cell; None if nothing is known. how: "measured" or "estimated"."""

    seconds: float | None
    how: str


def duration(plan: Plan, node: Cell) -> Duration:
    """How long a cell takes. At `cpu` its own record is used, or else the declared time, which was measured on two
    cores unless it says otherwise. At `paper` its work is divided by the speeds of one H100."""
    if node.is_report:
        return Duration(0.0, "measured")
    if plan.context.preset != "cpu":
        return Duration(_on_a_gpu(plan, node), "estimated")
    record = records.read(node)
    if record and record["done"]:
        return Duration(record["seconds"], "measured")
    return _declared(plan, node)


def _declared(plan: Plan, node: Cell) -> Duration:
    """A cell's share of its experiment's declared time, of which the longest counts."""
    experiment = plan.of(node)
    times = [float(number) * _UNITS[unit] for number, unit in _TIME.findall(experiment.time)]
    how = "estimated" if re.search("estimated|not measured", experiment.time) else "measured"
    if not times:
        return Duration(None, how)
    cells = plan.context.cells(experiment)
    if "a data set" in experiment.time:
        cells = [cell for cell in cells if cell.values.get("data") == node.values.get("data")]
    return Duration(max(times) / (1 if _OF_ONE.search(experiment.time) else len(cells)), how)


def _on_a_gpu(plan: Plan, node: Cell) -> float | None:
    """Seconds on one H100, from the speeds that were measured there; None for work of another kind."""
    path = plan.context.path(GPU)
    stages = records.parsed(path)["stages"] if path.exists() else None
    if stages is None:
        return None
    training = stages["training"]["result"]
    seconds = {
        "fits": 1 / max(row.get("fits_per_second", 0.0) for row in stages["fits at paper"]["result"]["rows"]),
        "base steps": float(np.mean([1 / row["steps_per_second"] for row in training["base_paper"]])),
        "generator steps": 1 / training["diffusion_paper"]["steps_per_second"],
    }
    work = plan.of(node).work(node, plan.context)
    return sum(amount * seconds[unit] for unit, amount in work.items()) if work else None


def in_words(seconds: float) -> str:
    """A length of time: "40 s", "12 min", "3.5 h", "12 days"."""
    for unit, length, least in (("days", 86400, 2), ("h", 3600, 1.5), ("min", 60, 1.5)):
        if seconds >= least * length:
            return f"{seconds / length:.2g} {unit}" if seconds < 10 * length else f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
