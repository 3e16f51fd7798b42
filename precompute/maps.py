"""The maps of the zoos in 2D and 3D, and the sheet of thumbnails of the shapes: `python -m precompute.maps`."""

import sys

from wsr.analysis import METHODS, project, to_table
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo


def main(name: str) -> None:
    zoo = Zoo.open(name)
    good = zoo.index[zoo.index["status"] == "ok"]["id"].tolist()
    weights = zoo.weights(good).numpy()
    projections = []
    with bar(f"maps {name}") as update:
        for method in METHODS:
            for dims in (2, 3):
                projections.append(project(weights, method, dims))
                update(len(projections), 2 * len(METHODS), method)
    with atomic_path(assets_dir() / "maps" / f"{name}.parquet") as temporary:
        to_table(good, projections).to_parquet(temporary, index=False)


if __name__ == "__main__":
    for zoo_name in sys.argv[1:] or ("emoji-mlora-asym", "shapes10-mlora-asym"):
        main(zoo_name)
