"""Speed, measured by `wsr bench` with nothing else running, for the reports that the README and tables read."""

from precompute.experiment import Cell, Context, of_this_machine
from wsr.commands.bench import BenchFit, BenchGrowth, BenchSurfaces


def run_fit(cell: Cell, context: Context) -> None:
    context.prepare(cell.data)
    BenchFit(cell.data).run()


def run_growth(cell: Cell, context: Context) -> None:
    context.prepare("emoji")
    BenchGrowth().run()


def run_surfaces(cell: Cell, context: Context) -> None:
    BenchSurfaces().run()


EXPERIMENTS = [
    of_this_machine(
        name="bench_fit",
        title="`reports/bench-fit-*.json`: `wsr bench fit`, the batched fit beside this machine's matrix products",
        data=("emoji", "shapes10"),
        needs=("bases/{base}.safetensors",),
        makes=("reports/bench-fit-{data}.json",),
        run=run_fit,
        place=25,
        size="2 × 3 kB",
        time="10 and 19 min",
    ),
    of_this_machine(
        name="bench_growth",
        title="`reports/bench-growth.*`: `wsr bench growth`, seconds an instance and memory from 64 to 4,096 instances",
        needs=("bases/emoji.safetensors",),
        makes=("reports/bench-growth.json", "reports/bench-growth.png"),
        run=run_growth,
        place=26,
        size="0.05 MB",
        time="12 min",
    ),
    of_this_machine(
        name="bench_surfaces",
        title="`reports/bench-surfaces.json`: `wsr bench surfaces`, the hierarchical grid against every sample",
        needs=("zoos/shapes10-mlora-asym",),
        makes=("reports/bench-surfaces.json",),
        run=run_surfaces,
        place=26,
        size="1 kB",
        time="2 min",
    ),
]
