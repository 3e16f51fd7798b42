"""How good and how new the samples of the models of the large zoos are.

It is measured on the parts of the zoos that come with the assets, so that the page can show every fit that a sample is
compared with. A copy of a training fit that is not there is not found; the scaling law (`scaling`) searches them all.
"""

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.audits import audit, extractor_needed, settings
from precompute.generators import THREADS
from precompute.large import REPRESENTATIONS
from wsr.zoo import Zoo


def run(cell: Cell, context: Context) -> None:
    of = context.large_zoo(cell.data, cell.representation)
    audit(Zoo.open(context.path(f"zoos/{of}")), [f"samples/{of}"], context)


EXPERIMENT = Experiment(
    name="large_audits",
    title="`reports/generation-<data set>-large-*` and so on: how good and how new the samples of large models are",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    settings=settings,
    needs=lambda cell, context: [
        "zoos/{large_zoo}", "samples/{large_zoo}", *extractor_needed(cell.data),
    ],
    makes=tuple(
        f"reports/{what}" for what in (
            "generation-{large_zoo}.json", "audit-{large_zoo}.json",
            "audit-{large_zoo}.parquet", "samples-{large_zoo}.webp",
        )
    ),
    run=run,
    final=True,
    threads=THREADS,
    place=19,
    size="4 × 0.3 MB",
    time="5 to 15 min each (estimated)",
)  # fmt: skip
