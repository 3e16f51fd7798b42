"""How good and how new: `python -m precompute.audits`, of every zoo that a diffusion model has learnt, or those named.

Of each zoo: FD, MMD, and for shapes mMD, COV and 1-NNA of every seed's samples (reports/generation-<zoo>.json), the
quality-novelty plane (reports/audit-<zoo>.{parquet,json}, which the Audit tab draws), and the first 64 samples as they
came (reports/samples-<name>.webp). Of mLoRA-Asym also the generators that the audit of weight generators found to copy:
Hyper-Representations, p-diff and G.pt, trained here for as long, 128 samples of each in assets/samples.
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from PIL import Image

from precompute.generators import SECONDS, Generator, generators
from wsr.analysis.evaluation import Evaluation
from wsr.analysis.plane import audit_report
from wsr.diffusion import diffusion_preset
from wsr.diffusion.checkpoints import CheckpointGenerator
from wsr.diffusion.jobs import samples_zoo
from wsr.diffusion.latent import HyperRepresentations, LatentConfig, PDiff
from wsr.metrics.features import extractor
from wsr.paths import assets_dir, atomic_path, cache_dir
from wsr.progress import bar
from wsr.render.decode import decode
from wsr.zoo import Zoo, compress_zoo

SHOWN, CELL, PEERS_COUNT = 64, 96, 128
PAIR_POINTS = 1024  # of each cloud, in distances between clouds: 3.5 million of them, a millisecond each
RESOLUTION = {2: 128, 3: 48}  # of surfaces less than the 96 of the page: 0.1 s instead of 0.5, for 20,000 of them
PEERS = {"G.pt": "-gpt", "Hyper-Representations": "-hyper-representations", "p-diff": "-p-diff"}


def main(name: str) -> None:
    reports, zoo = assets_dir() / "reports", Zoo.open(name)
    made = {one.name: samples(one.name) for one in generators() if one.zoo == name and has(one)}
    with bar(f"fits {name}") as update:
        dim, options = zoo.meta["dim"], {"pair_points": PAIR_POINTS, "progress": update}
        evaluation = Evaluation(zoo, extractor(None, dim), resolution=RESOLUTION[dim], **options)
    rows, decoded = [], {}
    with bar(f"evaluate {name}") as update:
        for done, (model, weights) in enumerate(made.items()):
            seen = evaluation.decoded(weights)
            if model == name:
                decoded["diffusion"] = seen
            table = evaluation.table(seen)
            rows += [row | {"model": model} for row in table.to_dict("records") if row["set"] == "samples" or not done]
            update(done + 1, len(made), f"{model}: FD {table['FD'].iloc[1]:.3f}")
    about = {"zoo": name, "extractor": evaluation.extractor.name, "resolution": evaluation.resolution, "rows": rows}
    about |= {"points of a distance": PAIR_POINTS}
    with atomic_path(reports / f"generation-{name}.json") as temporary:
        temporary.write_text(json.dumps(about, indent=1))
    shown = {"diffusion": made[name]} | (peers(zoo) if name.endswith("-mlora-asym") else {})
    with bar(f"audit {name}") as update:
        table, about = audit_report(zoo, evaluation, shown, decoded=decoded, progress=update)
    with atomic_path(reports / f"audit-{name}.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    with atomic_path(reports / f"audit-{name}.json") as temporary:
        temporary.write_text(json.dumps(about, indent=1))
    for model, weights in made.items():
        picture(zoo, weights[:SHOWN], reports / f"samples-{model}.webp")


def has(one: Generator) -> bool:
    return (assets_dir() / "samples" / one.name / "zoo.json").exists()


def samples(name: str) -> torch.Tensor:
    return Zoo.open(assets_dir() / "samples" / name).weights()


def peers(zoo: Zoo) -> dict[str, torch.Tensor]:
    """Samples of the other generators, trained where they are not there yet."""
    training = zoo.good("train")["id"].tolist()
    weights, config = zoo.weights(training), diffusion_preset("cpu")
    trajectories = assets_dir() / "zoos" / f"{zoo.path.name}-trajectories"
    make: dict[str, Callable] = {
        "Hyper-Representations": lambda: HyperRepresentations(weights, LatentConfig()),
        "p-diff": lambda: PDiff(weights, LatentConfig(input_noise=0.01, latent_noise=0.1), config),
    }
    if trajectories.exists():
        make["G.pt"] = lambda: CheckpointGenerator(Zoo.open(trajectories), config)
    found = {}
    for title, build in make.items():
        path = assets_dir() / "samples" / f"{zoo.path.name}{PEERS[title]}"
        if not path.exists():
            generator = build()
            with bar(f"{title} on {zoo.path.name}") as update:
                for record in within(generator.train_stream(), SECONDS):
                    update(record.step, record.steps, f"loss {record.loss:.4f}")
            kept = cache_dir() / "training" / path.name
            shutil.rmtree(kept, ignore_errors=True)
            drawn = generator.sample(PEERS_COUNT, seed=0)
            compress_zoo(samples_zoo(zoo.representation, zoo.meta, drawn, kept, {"model": title}), path)
        found[title] = Zoo.open(path).weights()
    return found


def within(records: Iterator, seconds: float) -> Iterator:
    """Records until the time is up."""
    until = time.monotonic() + seconds
    for record in records:
        yield record
        if time.monotonic() > until:
            return


def picture(zoo: Zoo, weights: torch.Tensor, path) -> None:
    """The samples in the order in which they came, eight in a row."""
    cells = []
    for part in weights.split(8):
        found = decode(zoo.representation, part, CELL if zoo.meta["dim"] == 2 else 64)
        if zoo.meta["dim"] == 3:
            from wsr.render.pictures import draw_mesh

            empty = np.full((CELL, CELL, 3), 255, np.uint8)
            found = [np.asarray(draw_mesh(mesh, CELL)) if len(mesh.faces) else empty for mesh in found]
        else:
            found = [np.round(np.clip(image, 0, 1) * 255).astype(np.uint8) for image in found]
        cells.append(np.concatenate(list(found), 1))
    with atomic_path(path) as temporary:
        Image.fromarray(np.concatenate(cells)).save(temporary, format="webp", quality=85)


if __name__ == "__main__":
    there = list(dict.fromkeys(one.zoo for one in generators() if has(one)))
    for zoo_name in sys.argv[1:] or there:
        main(zoo_name)
