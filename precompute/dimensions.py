"""Intrinsic dimension by maximum likelihood, of signals and of each representation's weights: `python -m
precompute.dimensions`. Resumable. The audit's question: are weights simpler than what they are of?

Of the training split's images (at 32×32) or occupancies (of 16³ places), and of the same instances' weights, each
parameter in units of its spread; k = 3, 5, 10, 20 neighbours. Written to assets/reports/dimensions.{json,md}.
"""

import numpy as np
import torch

from precompute.bases import prepare
from precompute.tables import Report, zoo_hash
from wsr import representations
from wsr.analysis.dimension import intrinsic_dimension
from wsr.data import load_signals
from wsr.data.occupancy import inside
from wsr.fitting.targets import stack_images
from wsr.zoo import Zoo

DATASETS = ("emoji", "emoji-people", "shapes10")
PIXELS, SAMPLES = 32, 16


def main() -> None:
    names = [f"{dataset}-{name}" for dataset in DATASETS for name in representations]
    there = [name for name in names if zoo_hash(name)]
    about = {"pixels": PIXELS, "samples": SAMPLES}
    report = Report("dimensions", depends=about, zoos=there, **about)
    for dataset in DATASETS:
        for name in representations:
            if f"{dataset}-{name}" in there and not report.has(**{"data set": dataset, "of": name}):
                zoo = Zoo.open(f"{dataset}-{name}")
                ids = sorted(zoo.good("train")["id"])
                if name == representations[0]:
                    prepare(dataset.partition("-")[0])
                    report.add(_row(dataset, "signals", signals(zoo, ids)))
                weights = zoo.weights(ids)
                report.add(_row(dataset, name, weights / weights.std(0).clamp_min(1e-6)))


def signals(zoo: Zoo, ids: list[str]) -> torch.Tensor:
    found = load_signals(zoo.meta["dataset"], ids)
    if found.dim == 2:
        images = stack_images([signal.read() for signal in found])  # (n, h, w, 3) of bytes
        small = torch.nn.functional.adaptive_avg_pool2d(images.permute(0, 3, 1, 2).float() / 255, PIXELS)
        return small.flatten(1)
    places = (np.stack(np.meshgrid(*[np.arange(SAMPLES)] * 3), -1).reshape(-1, 3) + 0.5) * 2 / SAMPLES - 1
    return torch.from_numpy(np.stack([inside(signal.read(), places) for signal in found])).float()


def _row(dataset: str, of: str, points: torch.Tensor) -> dict:
    return {"data set": dataset, "of": of, "instances": len(points)} | {
        f"k = {k}": value for k, value in intrinsic_dimension(points).items()
    }


if __name__ == "__main__":
    main()
