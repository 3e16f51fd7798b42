"""Figure 3 from starts of multiplicative adapters that are really independent, and keep all signs.

The usual starts of two fits have a cosine of 0.9997, since they lie closely around one mean. Zero-mean starts are
independent, but give each rank component a random sign, which no mask fixes. Log-normal starts have neither fault: all
factors are positive, and the cosine of two starts falls with σ. The targets, fits and measurements are those of
`figure3`, whose report has the other representations from their own starts (cosines of −0.04 to 0.01).
"""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments import figure3
from precompute.experiments.figure3 import AXES, INSTANCES, flat, signals_of, study
from precompute.fits import base_needed, fitted
from precompute.tables import write_json, write_tables
from wsr.analysis.connectivity import ALPHAS
from wsr.fields import registry

SIGMAS = (0.5, 0.96, 1.52)  # cosines of 0.84, 0.55 and 0.13, as measured


def run(cell: Cell, context: Context) -> dict:
    return study(cell, context).row(cell, keep=False)


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [row for _, row in found]
    about = {"preset": context.preset, "dataset": found[0][0].data, "instances": INSTANCES, "alphas": list(ALPHAS)}
    whole, *tables = paths
    write_json(whole, about | {"rows": rows})
    write_tables(tables, flat(rows))


def grid(context: Context) -> list[dict]:
    names = [name for name in registry.names() if registry.named(name).centred]
    every = [(data, name, sigma) for data in context.data(EXPERIMENT) for name in names for sigma in SIGMAS]
    return [
        {"data": data, **dict(zip(AXES, (name, "lognormal", sigma, 1.0), strict=True))} for data, name, sigma in every
    ]


EXPERIMENT = Experiment(
    name="wide_starts",
    title="`reports/wide-starts-*`: Figure 3 for mLoRA and mLoRA-Asym from log-normal starts (cosines 0.1 to 0.8)",
    data=("emoji", "shapes10"),
    grid=grid,
    signals=signals_of,
    settings=lambda cell, context: fitted(cell, context) | {"points": figure3.POINTS, "alphas": ALPHAS},
    needs=base_needed,
    run=run,
    report=report,
    reports=tuple(f"reports/wide-starts-{{data}}.{ending}" for ending in ("json", "md")),
    report_by=("data",),
    place=9,
    size="0.1 MB",
    time="5 min (emoji), 30 min (shapes)",
)
