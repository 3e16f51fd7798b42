"""The networks of the generators that learn from the large zoos, searched as `diffusion_search` does: with as many
trials of as many seconds for MLPs (HyperDiffusion) as for mLoRA-Asym, judged by the loss on the validation split."""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments.diffusion_search import Budget, search, write_search
from precompute.generators import THREADS, large_search_report
from precompute.large import REPRESENTATIONS, whole
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.diffusion.training import VERSION

# From ten times as many weights it takes longer until two networks differ, so trials are longer, and fewer.
TRIALS, SECONDS = 12, 100


def run(cell: Cell, context: Context) -> list[dict]:
    return search(whole(cell, context), cell, context, Budget(TRIALS, SECONDS))


def report(found: Found, paths: list[Path], context: Context) -> None:
    write_search(found, paths[0], context, Budget(TRIALS, SECONDS))


EXPERIMENT = Experiment(
    name="large_search",
    title="`reports/large-search-*.json`: rates, widths, depths and tokens for the generators of the large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    settings=lambda cell, context: {
        "config": diffusion_preset(context.preset, cell.representation), "seconds": SECONDS, "trials": TRIALS,
        "training": VERSION,
    },
    needs=("zoos/{zoo}-large",),
    run=run,
    report=report,
    held=lambda report, cell, context: any(row["representation"] == cell.representation for row in report["rows"]),
    reports=lambda cell, context: [large_search_report(cell.data, context)],
    report_by=("data",),
    threads=THREADS,
    place=11,
    size="2 × 10 kB",
    time="20 min each (estimated)",
)  # fmt: skip
