"""The maps of the zoos in 2D and 3D: `python -m precompute.maps`, of all that are there; name one for that alone."""

import sys

from wsr import representations
from wsr.analysis import METHODS, ProjectionConfig, project, to_table
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo


def main(name: str) -> None:
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


if __name__ == "__main__":
    everything = [f"{dataset}-{kind}" for dataset in ("emoji", "shapes10") for kind in representations]
    there = [name for name in everything if (assets_dir() / "zoos" / name / "zoo.json").exists()]
    for zoo_name in sys.argv[1:] or there:
        main(zoo_name)
