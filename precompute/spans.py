"""What bounds a generator of so few weights: `python -m precompute.spans`, of all zoos that are there.

A generator that has learnt from 800 weights makes weights in their span, or noise. So held-out fits are projected onto
the first k principal components of the training weights (each parameter in units of its spread) and decoded: the share
of their variance that is there, and the quality of what is left of them. Written to assets/reports/spans.{json,md}.
"""

import json

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.bases import prepare
from precompute.generators import DATASETS
from precompute.tables import markdown
from wsr import representations
from wsr.data import load_signals
from wsr.fitting.problem import make_problem
from wsr.paths import assets_dir, atomic_path
from wsr.zoo import Zoo

COMPONENTS, HELD_OUT, POINTS = (50, 200, 799), 64, 20_000


def main() -> None:
    rows = []
    for dataset in DATASETS:
        for name in representations:
            if (assets_dir() / "zoos" / f"{dataset}-{name}" / "zoo.json").exists():
                prepare(dataset.partition("-")[0])
                rows += measured(Zoo.open(f"{dataset}-{name}"))
                print(rows[-1], flush=True)
    path = assets_dir() / "reports" / "spans.json"
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"rows": rows, "held-out fits": HELD_OUT}, indent=1))
    with atomic_path(path.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(pd.DataFrame(rows)))


def measured(zoo: Zoo) -> list[dict]:
    good = zoo.index[zoo.index["status"] == "ok"]
    ids = {split: good[good["split"] == split]["id"].tolist() for split in ("train", "heldout")}
    training, heldout = zoo.weights(ids["train"]), zoo.weights(ids["heldout"][:HELD_OUT])
    mean, spread = training.mean(0), training.std(0).clamp_min(1e-6)
    components = torch.linalg.svd((training - mean) / spread, full_matrices=False).Vh  # (n, p)
    signals = load_signals(zoo.meta["dataset"], ids["heldout"][:HELD_OUT])
    truth = make_problem(signals, zoo.resolution, evaluation_points=POINTS).truth

    def quality(weights: Float[Tensor, "n p"]) -> float:
        return float(np.mean(truth.quality(zoo.representation, weights)))

    standard = (heldout - mean) / spread
    row = {"data set": zoo.meta["dataset"], "representation": zoo.meta["representation"], "fits": quality(heldout)}
    rows = []
    for k in COMPONENTS:
        within = standard @ components[:k].T @ components[:k]
        share = float(within.square().sum() / standard.square().sum())
        rows.append(row | {"components": k, "share": share, "projected": quality(within * spread + mean)})
    return rows


if __name__ == "__main__":
    main()
