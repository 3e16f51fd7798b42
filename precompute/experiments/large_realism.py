"""What `realism` makes, for the parts of the large zoos that come with the assets."""

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.audits import extractor_needed
from precompute.experiments.realism import calibrate, settings
from precompute.generators import THREADS
from precompute.large import REPRESENTATIONS
from wsr.zoo import Zoo


def run(cell: Cell, context: Context) -> None:
    calibrate(Zoo.open(context.path(f"zoos/{context.large_zoo(cell.data, cell.representation)}")), context)


EXPERIMENT = Experiment(
    name="large_realism",
    title="`metrics/realism-<data set>-large-*`, `reports/realism-<data set>-large-*`: the same for large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    settings=settings,
    needs=lambda cell, context: ["zoos/{large_zoo}", *extractor_needed(cell.data)],
    makes=("metrics/realism-{large_zoo}.safetensors", "reports/realism-{large_zoo}.json"),
    run=run,
    threads=THREADS,
    place=19,
    size="4 × 0.4 MB",
    time="3 min each ᵃ",
)
