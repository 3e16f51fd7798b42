"""The maps of the parts of large zoos that come with the assets."""

from precompute.experiment import Experiment
from precompute.experiments.maps import make_map
from precompute.large import REPRESENTATIONS

EXPERIMENT = Experiment(
    name="large_maps",
    title="`maps/<data set>-large-*.parquet`: UMAP, t-SNE and PCA of the parts of large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    needs=("zoos/{large_zoo}",),
    makes=("maps/{large_zoo}.parquet",),
    run=lambda cell, context: make_map(context.large_zoo(cell.data, cell.representation)),
    place=6,
    size="4 × 0.1 MB",
    time="3 min each (estimated)",
)
