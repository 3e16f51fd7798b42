"""Figure 3 from the paper's own starts: all trained entries of an adapter's A and B are drawn from N(0, 1).

Every adapter is fitted twice from one such start (λ = 0, where only the points differ) and twice from independent ones
(λ = 1), so that the barrier of independent starts is compared with that of one start of the same kind. The usual starts
of additive adapters have B = 0: their cosine is 0, but both draw the base's mean instance. The starts of standalone
MLPs in `figure3` are the paper's as they are, at the scale of each layer. Targets, fits and measurements are those of
`figure3`.
"""

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.figure3 import AXES, INSTANCES, kept, pairs, settings, signals_of, study
from precompute.experiments.wide_starts import report
from precompute.fits import base_needed
from wsr.fields import registry

LAMBDAS = (1.0, 0.0)  # independent starts first


def run(cell: Cell, context: Context) -> dict:
    return study(cell, context).row(cell, keep=bool(makes(cell, context)))


def grid(context: Context) -> list[dict]:
    names = [name for name in reversed(registry.names()) if registry.named(name).needs_base]
    return [
        {"data": data, **dict(zip(AXES, (name, "normal", 1.0, value), strict=True))}
        for data in context.data(EXPERIMENT) for value in LAMBDAS for name in names
    ]  # fmt: skip


def makes(cell: Cell, context: Context) -> list[str]:
    """The pairs of additive adapters; `figure3` makes those of the others."""
    return [pairs(cell, context)] if kept(cell) and not registry.named(cell.representation).centred else []


EXPERIMENT = Experiment(
    name="zero_starts",
    title="`reports/zero-starts-*`: Figure 3 for adapters from the paper's starts N(0, 1), and `zoos/*-normal-pairs`",
    data=("shapes10",),
    grid=grid,
    signals=signals_of,
    settings=settings,
    needs=base_needed,
    makes=makes,
    run=run,
    report=report,
    report_by=("data",),
    work=lambda cell, context: {"fits": 2 * INSTANCES},
    reports=tuple(f"reports/zero-starts-{{data}}.{ending}" for ending in ("json", "md")),
    place=9,
    size="2 MB",
    time="10 min a cell",
)
