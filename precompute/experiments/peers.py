"""The other generators that the audit of weight generators found to copy, on our zoos of mLoRA-Asym.

Hyper-Representations, p-diff and G.pt, trained for about as long as a diffusion model may train; 128 samples of each.
They have no weights kept back that would end their training sooner: their papers train to the end.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from precompute.experiment import Cell, Context, Experiment
from precompute.generators import DATASETS, THREADS, bits_of
from wsr.diffusion import diffusion_preset
from wsr.diffusion.checkpoints import CheckpointGenerator
from wsr.diffusion.jobs import samples_zoo
from wsr.diffusion.latent import HyperRepresentations, LatentConfig, PDiff
from wsr.paths import assets_dir, cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo

COUNT = 128
AUTOENCODER_STEPS, PAIR_STEPS = 1500, 1000  # two or three minutes on one core
LEARNT = ("mlora-asym",)  # the representations whose zoos they learn from
PEERS = {"G.pt": "-gpt", "Hyper-Representations": "-hyper-representations", "p-diff": "-p-diff"}


def path_of(title: str, zoo: str) -> Path:
    return assets_dir() / "samples" / f"{zoo}{PEERS[title]}"


def run(cell: Cell, context: Context) -> None:
    zoo, title = context.open_zoo(cell), cell["peer"]
    path = path_of(title, zoo.path.name)
    generator = builders(zoo)[title]()
    with bar(str(cell)) as update:
        for record in generator.train_stream():
            update(record.step, record.steps, f"loss {record.loss:.4f}")
    kept = cache_dir() / "training" / path.name
    shutil.rmtree(kept, ignore_errors=True)
    drawn = samples_zoo(zoo.representation, zoo.meta, generator.sample(COUNT, seed=0), kept, {"model": title})
    compress_zoo(drawn, path, bits=bits_of(cell.data))


def settings(cell: Cell, context: Context) -> dict:
    """What samples of a generator depend on, beside what it learns from."""
    steps = {"autoencoder": AUTOENCODER_STEPS, "pairs": PAIR_STEPS}
    return {"config": diffusion_preset(context.preset), "steps": steps, "samples": COUNT}


def builders(zoo: Zoo) -> dict[str, Callable]:
    """What makes each, untrained. G.pt learns from snapshots of fits, where there are some."""
    weights = zoo.weights(zoo.good("train")["id"].tolist())
    config, latent = replace(diffusion_preset(zoo.meta["preset"]), patience=0), LatentConfig(steps=AUTOENCODER_STEPS)
    noisy = replace(latent, input_noise=0.01, latent_noise=0.1)
    found: dict[str, Callable] = {
        "Hyper-Representations": lambda: HyperRepresentations(weights, latent),
        "p-diff": lambda: PDiff(weights, noisy, config),
    }
    trajectories = assets_dir() / "zoos" / f"{zoo.path.name}-trajectories"
    if trajectories.exists():
        found["G.pt"] = lambda: CheckpointGenerator(Zoo.open(trajectories), replace(config, steps=PAIR_STEPS))
    return found


EXPERIMENT = Experiment(
    name="peers",
    title="`samples/*-gpt` and so on: Hyper-Representations, p-diff and G.pt, 128 samples of each",
    data=DATASETS,
    grid={"representation": LEARNT, "peer": tuple(PEERS)},
    settings=settings,
    needs=lambda cell, context: ["zoos/{zoo}", *(["zoos/{zoo}-trajectories"] if cell["peer"] == "G.pt" else [])],
    makes=lambda cell, context: [f"samples/{{zoo}}{PEERS[cell['peer']]}"],
    run=run,
    threads=THREADS,
    place=13,
    size="6 × 0.8 MB",
    time="4 min each ᵃ",
)
