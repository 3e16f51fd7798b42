"""The search for the learning rates of the six representations.

The search is the same for all six. It fits the same 16 instances, on which the base was trained, with the preset's
steps, points and betas. All have one grid of learning rates and, for adapters, of ratios (A's rate divided by B's). All
have one rule. It does not take the best rate, because higher rates gain a little quality but let two fits end further
apart. It takes the lowest rate whose mean quality is within 1 dB (0.005 IoU) of the best of all, and at that rate the
ratio with the best quality. For mLoRA-Asym on shapes this is a rate of 0.03 with a ratio of 3: on 16 held-out shapes
the IoU is 0.964, and 0.939 halfway between two fits. With a rate of 0.06 these are 0.963 and 0.901 at ratio 1, and
0.966 and 0.906 at ratio 3.

The chosen rates are in wsr/presets.py. `as_fp16` in the report is the mean quality of the same weights rounded to fp16,
as a zoo stores them.
"""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.fits import base_needed, fitted
from precompute.selection import modality_of, zoo_signals
from precompute.tables import write_json
from wsr import fit
from wsr.data import Signals
from wsr.fields import registry
from wsr.fitting.problem import make_problem

GRIDS = {"image": (0.01, 0.02, 0.04, 0.08), "occupancy": (0.015, 0.03, 0.06, 0.12)}
SHARES = (0.25, 0.5, 1.0, 2.0)  # of the preset's rate, for any other modality
A_RATES = (1 / 3, 1.0, 3.0)
INSTANCES = 16
WITHIN = {"image": 1.0, "occupancy": 0.005}  # dB, IoU; for any other modality what it calls negligible


def signals_of(data: str) -> Signals:
    chosen = zoo_signals(data).where(split="train")
    return chosen.select(islice(chosen.ids, INSTANCES))


def run(cell: Cell, context: Context) -> dict:
    signals, settings, name = signals_of(cell.data), context.settings(cell.data), cell.representation
    base = context.base(cell.data) if registry.named(name).needs_base else None
    options = {"steps": settings.fit.steps, "preset": context.preset, "device": context.device}
    result = fit(signals, name, base=base, lr=cell["lr"], a_rate=cell["a_rate"], **options)
    evaluator = make_problem(signals, settings.resolution).evaluator
    rounded = evaluator.quality(result.representation, result.weights.half().float())
    return {
        "lr": cell["lr"],
        "a_rate": cell["a_rate"],
        "mean": float(np.mean(result.quality)),
        "se": float(np.std(result.quality) / INSTANCES**0.5),
        "as_fp16": float(np.mean(rounded)),
    }


def report(found: Found, paths: list[Path], context: Context) -> None:
    data, quality = found[0][0].data, {}
    for cell, row in found:
        quality.setdefault(cell.representation, {})[_setting(row)] = row
    settings, modality = context.settings(data).fit, modality_of(data)
    within = WITHIN.get(modality.name, modality.negligible)
    about = {
        "preset": context.preset,
        "steps": settings.steps,
        "points": settings.points,
        "betas": settings.betas,
        "instances": signals_of(data).ids,
        "rule": f"the lowest rate within {within} of the best mean; at that rate the best ratio",
        "quality": quality,
        "chosen": {name: _choice(row, within) for name, row in quality.items()},
    }
    write_json(paths[0], about)


def _setting(rates: Mapping[str, Any] | Cell) -> str:
    return f"{rates['lr']} × {rates['a_rate']:.3g}"


def _choice(row: dict, within: float) -> dict:
    best = max(cell["mean"] for cell in row.values())
    good = [cell for cell in row.values() if cell["mean"] >= best - within]
    chosen = min(good, key=lambda cell: (cell["lr"], -cell["mean"]))
    return {"lr": chosen["lr"], "a_rate": chosen["a_rate"]}


def rates_of(data: str, context: Context) -> tuple[float, ...]:
    """The learning rates that are tried for a data set."""
    rate = context.settings(data).fit.lr
    return GRIDS.get(modality_of(data).name) or tuple(share * rate for share in SHARES)


def grid(context: Context) -> list[dict]:
    return [
        {"data": data, "representation": name, "lr": lr, "a_rate": a_rate}
        for data in context.data(EXPERIMENT)
        for name in registry.names()
        for a_rate in (A_RATES if registry.named(name).two_rates else (1.0,))
        for lr in rates_of(data, context)
    ]


EXPERIMENT = Experiment(
    name="learning_rates",
    title="`reports/learning-rates-*.json`: the search behind the learning rates of `wsr/presets.py`, 56 × 16 fits, "
    "the same for all six",
    data=("emoji", "shapes10"),
    grid=grid,
    signals=signals_of,
    settings=fitted,
    needs=base_needed,
    run=run,
    report=report,
    held=lambda report, cell, context: _setting(cell) in report["quality"].get(cell.representation, {}),
    reports=("reports/learning-rates-{data}.json",),
    report_by=("data",),
    by_hand=True,
    place=23,
    size="2 × 13 kB",
    time="10.5 min each",
)
