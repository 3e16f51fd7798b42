"""How good and how new: `python -m precompute.audits`, of every zoo that a diffusion model has learnt, or those named.

Of each zoo: FD, MMD, and for shapes mMD, COV and 1-NNA of every seed's samples, and how many a classifier takes for
what they are to be (reports/generation-<zoo>.json); the quality-novelty plane (reports/audit-<zoo>.{parquet,json},
which the Audit tab draws), of all registered generators that have samples; and the first 64 samples as they came
(reports/samples-<name>.webp).
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from precompute.generators import THREADS, Generator, generators
from precompute.judging import RESOLUTION
from precompute.peers import path_of
from wsr.analysis.evaluation import COUNT, Decoded, Evaluation
from wsr.analysis.plane import audit_report
from wsr.generators.registry import kinds
from wsr.metrics.features import extractor
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.render.pictures import draw_weights
from wsr.zoo import Zoo

SHOWN, CELL = 64, 96
DECODED = 256  # of a model's samples: of shapes, a quarter of a second each
PAIR_POINTS = 1024  # of each cloud, in distances between clouds: some 150,000 a model, 0.4 ms each


def main(name: str) -> None:
    reports, zoo = assets_dir() / "reports", Zoo.open(name)
    made = {one.name: samples(one.name) for one in generators() if one.zoo == name and has(one)}
    compared = [kind for kind in kinds() if kind.audited and kind.role != "own" and path_of(kind, name).exists()]
    others = {kind.title: Zoo.open(path_of(kind, name)) for kind in compared}
    made |= {kind.stem(name): others[kind.title] for kind in compared if len(others[kind.title]) >= COUNT}
    with bar(f"fits {name}") as update:
        dim, options = zoo.meta["dim"], {"pair_points": PAIR_POINTS, "progress": update}
        evaluation = Evaluation(zoo, extractor(None, dim), resolution=RESOLUTION[dim], **options)
    seen = {}
    with bar(f"decode {name}") as update:
        for model, found in made.items():
            seen[model] = evaluation.decoded(found.weights()[:DECODED])
            update(len(seen), len(made), model)
    write(reports / f"generation-{name}.json", evaluated(evaluation, made, seen))
    shown = {"diffusion": made[name].weights()[:DECODED]}
    shown |= {title: found.weights() for title, found in others.items()}
    with bar(f"audit {name}") as update:
        table, about = audit_report(zoo, evaluation, shown, decoded={"diffusion": seen[name]}, progress=update)
    with atomic_path(reports / f"audit-{name}.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    write(reports / f"audit-{name}.json", about)
    for model, found in made.items():
        picture(zoo, found.weights()[:SHOWN], reports / f"samples-{model}.webp")


def evaluated(evaluation: Evaluation, made: dict[str, Zoo], seen: dict[str, Decoded]) -> dict:
    rows = []
    classes, fits = evaluation.zoo.good("heldout")["class"], evaluation.known["heldout"]
    accuracy = {"held out": classifier_accuracy(evaluation, classes, fits)}
    with bar(f"evaluate {evaluation.zoo.path.name}") as update:
        for done, (model, found) in enumerate(made.items()):
            accuracy[model] = classifier_accuracy(evaluation, found.index["class"][: len(seen[model])], seen[model])
            table = evaluation.table(seen[model])
            rows += [row | {"model": model} for row in table.to_dict("records") if row["set"] == "samples" or not done]
            update(done + 1, len(made), f"{model}: FD {table['FD'].iloc[1]:.3f}")
    about = {"zoo": evaluation.zoo.path.name, "extractor": evaluation.extractor.name}
    about |= {"resolution": evaluation.resolution, "points of a distance": PAIR_POINTS}
    return about | {"samples": DECODED, "classifier_accuracy": accuracy, "rows": rows}


def write(path: Path, about: dict) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(about, indent=1))


def classifier_accuracy(evaluation: Evaluation, classes: pd.Series, seen: Decoded) -> float | None:
    """The share of shapes that PointNet++ assigns to the class they were sampled of. None for images, which have no
    classifier here."""
    if evaluation.zoo.meta["dim"] == 2:
        return None
    names = sorted(set(evaluation.zoo.good("train")["class"]))
    with torch.no_grad():
        found = evaluation.extractor.network.fc3(torch.from_numpy(seen.features)).argmax(1)
    return float(np.mean([names[i] == cls for i, cls in zip(found.tolist(), classes, strict=True)]))


def has(one: Generator) -> bool:
    return (assets_dir() / "samples" / one.name / "zoo.json").exists()


def samples(name: str) -> Zoo:
    return Zoo.open(assets_dir() / "samples" / name)


def picture(zoo: Zoo, weights: torch.Tensor, path: Path) -> None:
    """The samples in the order in which they came, eight in a row."""
    resolution = CELL if zoo.meta["dim"] == 2 else RESOLUTION[3]
    cells = draw_weights(zoo.representation, weights, resolution, CELL)
    rows = [np.concatenate(cells[first : first + 8], 1) for first in range(0, len(cells), 8)]
    with atomic_path(path) as temporary:
        Image.fromarray(np.concatenate(rows)).save(temporary, format="webp", quality=85)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)  # two of them side by side make more of two cores than one on both
    there = list(dict.fromkeys(one.zoo for one in generators() if has(one)))
    for zoo_name in sys.argv[1:] or there:
        main(zoo_name)
