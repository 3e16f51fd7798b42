"""A folder of assets made in seconds: untrained bases, zoos of a few random weights, and maps.

`python tiny_assets.py DIR` makes one, for the browser tests and for looking at the page without the trained assets.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from wsr.analysis.projections import Projection, to_table
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.presets import preset
from wsr.zoo.zoo import Zoo

COUNT = 24
CLASSES = {"emoji": ("animals", "food", "people"), "shapes10": ("chair", "lamp", "table")}


def make(folder: Path) -> Path:
    """Assets for both data sets in `folder`; the bases are found where the environment names it as WSR_ASSETS."""
    for kind in ("bases", "maps"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for dataset, dim in (("emoji", 2), ("shapes10", 3)):
        config = preset("cpu", dim).field
        save_base(folder / f"bases/{dataset}.safetensors", BaseField(config), BaseInfo(dataset, "cpu", 0))
        _zoo(folder, dataset, dim)
    return folder


def _zoo(folder: Path, dataset: str, dim: int) -> None:
    noise = torch.Generator().manual_seed(dim)
    model = make_representation("mlora-asym", load_base(folder / f"bases/{dataset}.safetensors"),
                                preset("cpu", dim).field, 4, 0)  # fmt: skip
    name = f"{dataset}-mlora-asym"
    zoo = Zoo.create(folder / "zoos" / name, model, dataset=dataset, preset="cpu", init="centered", sigma=0.02,
                     init_seed=0, steps=300)  # fmt: skip
    classes = [CLASSES[dataset][i % 3] for i in range(COUNT)]
    ids = [f"{cls}-{i:05d}" for i, cls in enumerate(classes)]
    middles = {cls: 0.1 * torch.randn(model.size, generator=noise) for cls in CLASSES[dataset]}
    vectors = torch.stack(
        [model.initial() + middles[cls] + 0.05 * torch.randn(model.size, generator=noise) for cls in classes]
    )
    rows = [{"id": item, "class": cls, "split": "heldout" if i % 4 == 0 else "train", "quality": 0.5 + i / 100,
             "steps": 300, "seconds": 0.1, "target_sha256": "", "status": "ok" if i else "diverged"}
            for i, (item, cls) in enumerate(zip(ids, classes, strict=True))]  # fmt: skip
    zoo.append(vectors, rows)
    places = np.random.default_rng(dim).uniform(-1, 1, (COUNT, 3)).astype(np.float32)
    maps = [Projection(method, d, places[:, :d] * scale)
            for scale, method in ((1, "umap"), (0.9, "pca")) for d in (2, 3)]  # fmt: skip
    to_table(ids, maps).to_parquet(folder / f"maps/{name}.parquet")
    if dim == 3:  # shapes' thumbnails are shipped, emoji's are decoded at the first start
        Image.new("RGB", (64 * 5, 64 * 5), "lightgrey").save(folder / f"maps/{name}.webp")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
