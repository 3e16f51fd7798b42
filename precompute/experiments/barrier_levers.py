"""How settings of fitting change the barrier: one setting at a time is changed from the preset.

16 held-out emoji are fitted twice from independent starts (λ = 1), with the two representations whose barriers are
lowest.
"""

from pathlib import Path

import numpy as np

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.fits import base_needed, fitted
from precompute.selection import zoo_signals
from precompute.tables import write_tables
from wsr.analysis.connectivity import connect, fit_pair, similarity
from wsr.data import Signals
from wsr.fields.registry import named
from wsr.fitting.problem import make_problem

INSTANCES = 16
NAMES = ("mlora-asym", "lora-asym")  # the two lowest barriers


def ablation(data: str, name: str, context: Context) -> dict[str, dict]:
    fit = context.settings(data).fit
    lr = fit.of(name).lr
    return {
        "the preset": {},
        "the same points": {"point_seeds": (0, 0)},
        **({"σ 0.1": {"sigma": 0.1}, "σ 0.3": {"sigma": 0.3}} if named(name).centred else {}),
        "rate × ½": {"lr": lr / 2},
        "rate × ¼": {"lr": lr / 4},
        "steps × ½": {"steps": fit.steps // 2},
        "steps × 2": {"steps": fit.steps * 2},
        "points × 2": {"points": fit.points * 2},
        "rank 2": {"rank": 2},
        "rank 8": {"rank": 8},
    }


def signals_of(data: str) -> Signals:
    return zoo_signals(data).where(split="heldout")[:INSTANCES]


def run(cell: Cell, context: Context) -> dict:
    data, name = cell.data, cell.representation
    signals, settings = signals_of(data), context.settings(data)
    options = {"steps": settings.fit.steps, "preset": context.preset, "device": context.device}
    options |= ablation(data, name, context)[cell["lever"]]
    pair = fit_pair(signals, name, context.base(data), **options)
    found = connect(pair, make_problem(signals, settings.resolution).evaluator, (0.0, 0.5, 1.0))
    ends = (found.quality[:, 0] + found.quality[:, -1]) / 2
    change = similarity(pair.a, pair.b, pair.start_mean)
    row = {"representation": name, "lever": cell["lever"], **_mean("ends", ends), **_mean("drop", found.drop)}
    row |= {"middle": float(found.quality[:, 1].mean()), "change cosine": float(change.cosine.mean())}
    return row | {"change floor": change.floor}


def _mean(name: str, values: np.ndarray) -> dict[str, float]:
    """The mean and the standard error over the targets."""
    return {name: float(values.mean()), f"{name} se": float(values.std(ddof=1) / len(values) ** 0.5)}


def report(found: Found, paths: list[Path], context: Context) -> None:
    about = {"dataset": found[0][0].data, "instances": INSTANCES, "lambda": 1.0, "preset": context.preset}
    write_tables(paths, [row for _, row in found], **about)


def grid(context: Context) -> list[dict]:
    every = [(data, name) for data in context.data(EXPERIMENT) for name in NAMES]
    return [{"data": d, "representation": n, "lever": lever} for d, n in every for lever in ablation(d, n, context)]


EXPERIMENT = Experiment(
    name="barrier_levers",
    title="`reports/barrier-levers.*`: what moves the barrier of the two lowest, one setting at a time",
    data=("emoji",),
    grid=grid,
    signals=signals_of,
    settings=fitted,
    needs=base_needed,
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        (row["representation"], row["lever"]) == (cell.representation, cell["lever"]) for row in report["rows"]
    ),
    reports=("reports/barrier-levers{tag}.json", "reports/barrier-levers{tag}.md"),
    by_hand=True,
    place=22,
    size="10 kB",
    time="20 min",
)
