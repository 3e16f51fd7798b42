"""A folder of assets that is made in seconds: untrained bases, zoos of a few random weights, and maps.

`python tiny_assets.py DIR` makes one, for the browser tests and for looking at the page without the trained assets.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from toy_claims import toy_claims

from wsr.analysis.connectivity import ALPHAS
from wsr.analysis.projections import Projection, to_table
from wsr.data.registry import find
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.registry import named, names
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion
from wsr.presets import preset
from wsr.zoo.zoo import Zoo

COUNT, PAIRS = 24, 3
PROBES = [f"{measure}{kind}" for measure in ("1-NN", "logistic", "ARI") for kind in ("", " sd")]
CLASSES = {"emoji": ("animals", "food", "people"), "shapes10": ("chair", "lamp", "table")}
MODALITIES = {"emoji": "image", "shapes10": "occupancy"}


def make(folder: Path, modalities: Mapping[str, str] = MODALITIES) -> Path:
    """Makes assets in `folder` for data sets, given with their modalities. Bases are found if the environment variable
    WSR_ASSETS names it."""
    for kind in ("bases", "maps", "reports"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for dataset, modality in modalities.items():
        config = preset("cpu", modality).field
        save_base(folder / f"bases/{dataset}.safetensors", BaseField(config), BaseInfo(dataset, "cpu", 0))
        base = load_base(folder / f"bases/{dataset}.safetensors")
        for name in names():
            model = make_representation(name, base, config, 4 if named(name).needs_base else None, 0)
            _zoo(folder, dataset, model)
            _pairs(folder, dataset, model, "centered", "")
            if named(name).centred:
                _pairs(folder, dataset, model, "normal", "-normal")
        _reports(folder, dataset)
        add_model(folder, f"{dataset}-mlora-asym")
        add_audit(folder, f"{dataset}-mlora-asym")
    probes = [{"data set": d, "representation": r, **{k: 50.0 for k in PROBES}} for d in modalities for r in names()]
    (folder / "reports/table4.json").write_text(json.dumps({"rows": probes}))
    (folder / "reports/claims.json").write_text(json.dumps(toy_claims()))
    return folder


def _items(dataset: str) -> tuple[list[str], list[str]]:
    classes = [classes_of(dataset)[i % 3] for i in range(COUNT)]
    return [f"{cls}-{i:05d}" for i, cls in enumerate(classes)], classes


def classes_of(dataset: str) -> tuple[str, ...]:
    known, _ = find(dataset)
    return CLASSES.get(dataset) or (known.classes[:3] if known else ("high", "middle", "low"))


def _zoo(folder: Path, dataset: str, model) -> None:
    noise, dim = torch.Generator().manual_seed(model.dim), model.dim
    name = f"{dataset}-{model.name}"
    zoo = Zoo.create(folder / "zoos" / name, model, dataset=dataset, preset="cpu", init="centered", sigma=0.02,
                     init_seed=0, steps=300)  # fmt: skip
    ids, classes = _items(dataset)
    start = model.initial()
    middles = {cls: 0.1 * torch.randn(model.size, generator=noise) for cls in classes_of(dataset)}
    vectors = torch.stack([start + middles[cls] + 0.05 * torch.randn(model.size, generator=noise) for cls in classes])
    rows = [{"id": item, "class": cls, "split": "heldout" if i % 4 == 0 else "train", "quality": 0.5 + i / 100,
             "steps": 300, "seconds": 0.1, "target_sha256": "", "status": "ok" if i else "diverged"}
            for i, (item, cls) in enumerate(zip(ids, classes, strict=True))]  # fmt: skip
    if dim == 3:  # the chairs, every third shape, have a style of legs beside the height that all have
        styles = [{"attribute legs": "round" if i % 2 else "square"} if i % 3 == 0 else {} for i in range(COUNT)]
        both = enumerate(zip(rows, styles, strict=True))
        rows = [row | {"attribute height": i / 10} | style for i, (row, style) in both]
    elif model.name == "mlora-asym":  # the page itself draws what is edited
        rows = [row | {"attribute warmth": i / 10} for i, row in enumerate(rows)]
    zoo.append(vectors, rows)
    places = np.random.default_rng(dim).uniform(-1, 1, (COUNT, 3)).astype(np.float32)
    maps = [Projection(method, d, places[:, :d] * scale)
            for scale, method in ((1, "umap"), (0.9, "pca")) for d in (2, 3)]  # fmt: skip
    to_table(ids, maps).to_parquet(folder / f"maps/{name}.parquet")
    # shapes' thumbnails are shipped, emoji's are decoded at the first start
    if model.modality.has_surface and model.name == "mlora-asym":
        Image.new("RGB", (64 * 5, 64 * 5), "lightgrey").save(folder / f"maps/{name}.webp")


def add_model(folder: Path, name: str) -> None:
    """Makes an untrained diffusion model of a zoo's weights."""
    zoo = Zoo.open(folder / "zoos" / name)
    config = DiffusionConfig(32, 1, 2, 8, 1e-3, 1, shared_modulation=True)
    about = {"zoo": zoo.meta, "name": zoo.path.name}
    made = WeightDiffusion.new(zoo.representation, zoo.weights(), config, sorted(set(zoo.index["class"])), about)
    made.save(folder / "diffusion" / f"{zoo.path.name}.safetensors")


def add_audit(folder: Path, name: str) -> None:
    """Makes a report on samples that are a zoo's training weights with a little noise."""
    zoo = Zoo.open(folder / "zoos" / name)
    index = zoo.index[zoo.index["status"] == "ok"]
    ids = index[index["split"] == "train"]["id"].tolist()
    kept = {key: zoo.meta[key] for key in ("dataset", "preset", "init", "sigma", "init_seed", "steps", "fit", "dtype")}
    samples = Zoo.create(folder / "samples" / zoo.path.name, zoo.representation, **kept, sampled={})
    row = {"class": "", "split": "sampled", "quality": float("nan"), "steps": 1, "seconds": 0.0, "target_sha256": "",
           "status": "ok"}  # fmt: skip
    samples.append(zoo.weights(ids[:6]) + 0.01, [{"id": f"sample-{i:05d}", **row} for i in range(6)])
    rows, noise = [], np.random.default_rng(0)
    for generator, count, x in (("diffusion", 6, 0.5), ("held out", 4, 1.0), ("noise 0.1", 4, 0.1)):
        for i in range(count):
            place = {"novelty": x + 0.1 * noise.uniform(), "quality": 1 + 0.1 * noise.uniform()}
            near = {"nearest": ids[i], "between": f"{ids[i]} + {ids[i + 1]}", "looks like": ids[i + 1]}
            said = {"distance": place["novelty"], "blend": 0.5, "verdict": "replica" if x < 1 else "novel"}
            rows.append({"generator": generator, "sample": i, **place, **near, **said, "function": 1.0})
    names = list(dict.fromkeys(row["generator"] for row in rows))
    place = {"novelty": 1.0, "quality": 1.0, "function": 1.0, "replica": 1.0, "blend": 0.0, "novel": 0.0}
    about = {"extractor": "none", "alarm": 0.05, "tested": 3, "false alarms": 0, "thresholds": [0.7, 0.6], "seed": 0,
             "planted": {"noise 0.1": 1.0},
             "baseline count": 4, "training distances": [1.0, 1.1],
             "summaries": dict.fromkeys(names, place)}  # fmt: skip
    path = folder / "reports" / f"audit-{zoo.path.name}"
    pd.DataFrame(rows).to_parquet(path.with_suffix(".parquet"), index=False)
    path.with_suffix(".json").write_text(json.dumps(about))


def _pairs(folder: Path, dataset: str, model, init: str, kind: str) -> None:
    """Makes two fits of each target that are as far apart as their starts."""
    path = folder / "zoos" / f"{dataset}-{model.name}{kind}-pairs"
    zoo = Zoo.create(
        path, model, dataset=dataset, preset="cpu", init=init, sigma=0.1, init_seed=0, steps=300, perturb=1.0
    )
    for number in (0, 1):
        start = model.initial(init, 0.1, 0, float(number))
        change = 0.05 * torch.randn(PAIRS, model.size, generator=torch.Generator().manual_seed(7))
        ids, classes = _items(dataset)
        common = {"split": "heldout", "quality": 0.9, "steps": 300, "seconds": 0.0, "target_sha256": "", "status": "ok"}
        rows = [{"id": f"{ids[i]}@{number}", "class": classes[i], **common} for i in range(1, PAIRS + 1)]
        zoo.append(start + change, rows)


def _reports(folder: Path, dataset: str) -> None:
    ends = {"curves": [[30 - 10 * (1 - abs(2 * a - 1)) for a in ALPHAS]] * PAIRS}
    rows = [{"representation": name, "series": series, "sigma": 0.1, "lambda": 1.0, "raw": ends, "aligned": ends}
            for name in names() for series in ("own", "normal")
            if series == "own" or named(name).centred]  # fmt: skip
    report = {"ids": _items(dataset)[0][1 : PAIRS + 1], "alphas": list(ALPHAS), "rows": rows}
    (folder / f"reports/figure3-{dataset}.json").write_text(json.dumps(report))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
