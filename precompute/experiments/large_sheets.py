"""The thumbnails of the parts of large zoos of shapes that come with the assets.

The page draws those of images itself. It has no time for two thousand surfaces: without this sheet, neighbours and
points of their map would have no picture.
"""

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.sheets import thumbnails
from precompute.selection import has_surfaces
from wsr.zoo import Zoo


def run(cell: Cell, context: Context) -> None:
    thumbnails(Zoo.open(context.path(f"zoos/{context.large_zoo(cell.data, cell.representation)}")), context)


EXPERIMENT = Experiment(
    name="large_sheets",
    title="`maps/shapes10-large-mlora-asym.webp`: thumbnails of the parts of large zoos of shapes",
    data=("shapes10",),
    grid=lambda context: [
        {"data": data, "representation": "mlora-asym"} for data in filter(has_surfaces, context.data(EXPERIMENT))
    ],
    needs=("zoos/{large_zoo}",),
    makes=("maps/{large_zoo}.webp",),
    run=run,
    place=6,
    size="0.9 MB",
    time="9 min (estimated)",
)
