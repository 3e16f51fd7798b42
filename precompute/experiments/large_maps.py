"""The maps of the parts of large zoos that come with the assets."""

from precompute.experiment import Experiment
from precompute.experiments.maps import make_map
from precompute.large import REPRESENTATIONS, name

EXPERIMENT = Experiment(
    name="large_maps",
    title="`maps/<data set>-large-*.parquet`: UMAP, t-SNE and PCA of the parts of large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    needs=("zoos/{data}-large-{representation}",),
    makes=("maps/{data}-large-{representation}.parquet",),
    run=lambda cell, context: make_map(name(cell.data, cell.representation, context)),
    place=6,
    size="4 × 0.1 MB",
    time="3 min each (estimated)",
)
