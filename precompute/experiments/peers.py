"""Other generators of weights, which an earlier audit found to copy, trained on our zoos of mLoRA-Asym.

Every registered peer (`wsr.generators.registry`) that audits compare is trained for about as long as a diffusion model
may train, and 128 samples are drawn. As in the peers' papers, no validation loss ends the training earlier.
"""

import shutil
from dataclasses import replace

from precompute.experiment import Cell, Context, Experiment
from precompute.generators import DATASETS, THREADS, bits_of
from wsr.generators.base import TrainSettings
from wsr.generators.diffusion.config import diffusion_preset, without_patience
from wsr.generators.jobs import samples_zoo
from wsr.generators.latent import LatentConfig
from wsr.generators.p_diff import PDiffConfig
from wsr.generators.registry import GeneratorKind, kinds, named
from wsr.paths import cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo

COUNT = 128
AUTOENCODER_STEPS, PAIR_STEPS = 1500, 1000  # each takes two or three minutes on one core
LEARNT = ("mlora-asym",)  # the representations whose zoos peers learn from


def run(cell: Cell, context: Context) -> None:
    zoo, kind = context.open_zoo(cell), named(cell["peer"])
    path = context.path(makes(cell, context)[0])
    kept = cache_dir() / "training" / path.name
    learnt = Zoo.open(context.path(learnt_by(kind, cell, context)))
    training = kind.generator.training(learnt, trained(zoo.meta["preset"]).get(kind.name, TrainSettings()))
    with bar(str(cell)) as update:
        for record in training.stream(kept.with_suffix(".checkpoint")):
            update(record.step, record.steps, f"loss {record.loss:.4f}")
    shutil.rmtree(kept, ignore_errors=True)
    drawn = samples_zoo(zoo.representation, zoo.meta, training.generator.sample(COUNT, seed=0), kept,
                        {"model": kind.title})  # fmt: skip
    compress_zoo(drawn, path, bits=bits_of(cell.data))


def trained(preset: str) -> dict[str, TrainSettings]:
    """The training settings of peers, by name. A peer that is missing here is trained with its own defaults."""
    config, latent = without_patience(diffusion_preset(preset)), LatentConfig(steps=AUTOENCODER_STEPS)
    noisy = replace(latent, input_noise=0.01, latent_noise=0.1)
    return {
        "hyper-representations": TrainSettings(config=latent),
        "p-diff": TrainSettings(config=PDiffConfig(noisy, config)),
        "gpt": TrainSettings(config=replace(config, steps=PAIR_STEPS)),
    }


def settings(cell: Cell, context: Context) -> dict:
    """All settings that the samples of a peer depend on. The zoo is not among them."""
    steps = {"autoencoder": AUTOENCODER_STEPS, "pairs": PAIR_STEPS}
    return {"config": diffusion_preset(context.preset), "steps": steps, "samples": COUNT}


def learnt_by(kind: GeneratorKind, cell: Cell, context: Context) -> str:
    """The path of the zoo from which a generator learns: a zoo of fits, or of their snapshots."""
    zoo = context.zoo(cell.data, cell.representation)
    return f"zoos/{zoo}" + ("-trajectories" if kind.learns_from == "trajectories" else "")


def makes(cell: Cell, context: Context) -> list[str]:
    return [f"samples/{named(cell['peer']).stem(context.zoo(cell.data, cell.representation))}"]


EXPERIMENT = Experiment(
    name="peers",
    title="`samples/*-gpt` and so on: Hyper-Representations, p-diff and G.pt, 128 samples of each",
    data=DATASETS,
    grid={"representation": LEARNT, "peer": lambda: [kind.name for kind in kinds("peer") if kind.audited]},
    settings=settings,
    needs=lambda cell, context: list(dict.fromkeys(["zoos/{zoo}", learnt_by(named(cell["peer"]), cell, context)])),
    makes=makes,
    run=run,
    threads=THREADS,
    place=13,
    size="6 × 0.8 MB",
    time="4 min each ᵃ",
)
