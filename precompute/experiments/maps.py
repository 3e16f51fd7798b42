"""The maps of all zoos, in 2D and 3D."""

import pandas as pd

from precompute.experiment import Cell, Context, Experiment
from wsr.analysis import METHODS, ProjectionConfig, project, to_table
from wsr.fields import registry
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo


def make_map(name: str) -> None:
    """Projects all good weights of a zoo by each method, and writes assets/maps/<zoo>.parquet."""
    zoo = Zoo.open(name)
    good = zoo.good()["id"].tolist()
    weights = zoo.weights(good).numpy()
    projections = []
    with bar(f"maps {name}") as update:
        for method in METHODS:
            for dims in (2, 3):
                projections.append(project(weights, ProjectionConfig(method, dims)))
                update(len(projections), 2 * len(METHODS), method)
    with atomic_path(assets_dir() / "maps" / f"{name}.parquet") as temporary:
        to_table(good, projections).to_parquet(temporary, index=False)


def run(cell: Cell, context: Context) -> None:
    make_map(context.zoo(cell.data, cell.representation))


def changed(cell: Cell, context: Context) -> list[str]:
    table = pd.read_parquet(context.path(f"maps/{context.zoo(cell.data, cell.representation)}.parquet"), columns=["id"])
    return ["the zoo has other ids now"] * (set(table["id"]) != set(context.open_zoo(cell).good()["id"]))


EXPERIMENT = Experiment(
    name="maps",
    title="`maps/*.parquet`: UMAP, t-SNE and PCA in 2D and 3D",
    data=("emoji", "shapes10", "faces"),
    grid={"representation": registry.names},
    needs=("zoos/{zoo}",),
    makes=("maps/{zoo}.parquet",),
    run=run,
    changed=changed,
    place=4,
    size="18 × 0.06 MB",
    time="1.2 min each",
)
