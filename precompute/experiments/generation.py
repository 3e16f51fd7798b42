"""The diffusion models, and 512 samples of each.

Each model trains until its validation loss no longer falls, but for no more steps than fit into half an hour on one
core (`diffusion_search` measured the time of a step). If the preset states a number of epochs, the model trains for
that many instead. Models are written to diffusion/ with five or six bits for each number of their matrices. Samples are
drawn from these quantised models, and are written to samples/ with as many bits.
"""

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace

from precompute.experiment import Cell, Context, Experiment
from precompute.generators import (
    DATASETS,
    LONGEST,
    SAMPLES,
    STEPS,
    THREADS,
    Generator,
    bits_of,
    generators,
    search_report,
    searched,
    with_trial,
)
from precompute.selection import modality_of, zoo_size
from wsr.generators.base import SampleSettings, SaveSettings, TrainSettings
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion, diffusion_preset
from wsr.generators.diffusion.training import VERSION
from wsr.generators.files import load_generator
from wsr.generators.jobs import SAMPLING_VERSION, sample_zoo, train_generator
from wsr.paths import cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo


def config_of(one: Generator, context: Context) -> DiffusionConfig | None:
    """The settings of a generator's training; None if its network has not been searched yet."""
    config = diffusion_preset(context.preset, one.representation, modality_of(one.data))
    config = replace(config, encoder=config.encoder and one.encoder)
    if config.epochs is not None:
        return config
    found = searched(one.data, context).get(one.representation)
    if found is None:
        return None
    return replace(with_trial(config, found), steps=min(config.steps, round(LONGEST / found["step seconds"])))


def run(cell: Cell, context: Context) -> None:
    one = Generator.of(cell)
    name = one.name(context)
    path = context.path(f"diffusion/{name}.safetensors")
    whole = cache_dir() / "training" / path.name
    if not path.exists():
        with bar(str(cell)) as update:
            asked = TrainSettings(config=config_of(one, context), seed=one.seed)
            for record in train_generator(one.kind, context.open_zoo(cell), whole, asked, overwrite=True):
                unseen = f"validation loss {record.validation or 0:.4f}"
                update(record.step, record.steps, f"loss {record.loss:.4f}, {unseen}")
    write(lambda: load_generator(whole), name, cell, context, one.seed)


def write(trained: Callable[[], WeightDiffusion], name: str, cell: Cell, context: Context, seed: int) -> None:
    """Writes a trained generator, with few bits for each number, to diffusion/, and samples of the result to samples/.
    What is already there is left as it is. trained: loads the generator; called only if its file is to be written."""
    path, samples = context.path(f"diffusion/{name}.safetensors"), context.path(f"samples/{name}")
    if not path.exists():
        trained().save(path, SaveSettings(bits=bits_of(cell.data)))
    if not samples.exists():
        model, drawn = load_generator(path), cache_dir() / "training" / f"samples-{name}"
        with bar(f"samples {name}") as update:
            for done in sample_zoo(model, drawn, SAMPLES, SampleSettings(steps=STEPS, seed=seed)):
                update(done, SAMPLES)
        compress_zoo(Zoo.open(drawn), samples, bits=bits_of(cell.data))
        shutil.rmtree(drawn)


def settings(cell: Cell, context: Context) -> dict:
    return {
        "config": config_of(Generator.of(cell), context), "training": VERSION, "sampling": SAMPLING_VERSION,
        "samples": SAMPLES, "steps": STEPS, "bits": bits_of(cell.data),
    }  # fmt: skip


def search_needed(cell: Cell, context: Context) -> list[str]:
    """The path of the report of the search. A preset that states a number of epochs also states the learning rate, and
    needs no search."""
    return [search_report(cell.data, context)] if diffusion_preset(context.preset).epochs is None else []


def makes(cell: Cell, context: Context) -> list[str]:
    name = Generator.of(cell).name(context)
    return [f"diffusion/{name}.safetensors", f"samples/{name}"]


EXPERIMENT = Experiment(
    name="generation",
    title="`diffusion/`, `samples/`: the generators, and 512 samples of each, six bits a number",
    data=DATASETS,
    grid=lambda context: [asdict(one) for one in generators(context.data(EXPERIMENT))],
    settings=settings,
    needs=("zoos/{zoo}",),
    after=search_needed,
    makes=makes,
    run=run,
    threads=THREADS,
    place=12,
    size="25 × 7 MB",
    work=lambda cell, context: {"generator steps": diffusion_preset(context.preset).steps_for(zoo_size(cell.data))},
    time="1 to 4 min each ᵃ, with longer trainings up to 30 min (estimated)",
)
