"""The generators that have learnt from all training weights of the large zoos, and 512 samples of each."""

from dataclasses import replace

from precompute.experiment import Cell, Context, Experiment
from precompute.experiments.generation import write
from precompute.generators import SAMPLES, STEPS, THREADS, bits_of
from precompute.large import REPRESENTATIONS, whole
from precompute.large_generators import choices, config_of, counts, sampler_of, trained, trained_with
from wsr.generators.diffusion import WeightDiffusion
from wsr.generators.files import load_generator
from wsr.generators.jobs import SAMPLING_VERSION

SEED = 0


def run(cell: Cell, context: Context) -> None:
    write(lambda: _model(cell, context), context.large_zoo(cell.data, cell.representation), cell, context, SEED)


def _model(cell: Cell, context: Context) -> WeightDiffusion:
    zoo = whole(cell, context)
    model = load_generator(trained(zoo, config_of(cell, context), counts(cell.data)[-1], SEED, str(cell)))
    model.config = replace(model.config, **sampler_of(cell, context))  # the page samples as its model says
    return model


def settings(cell: Cell, context: Context) -> dict:
    about = trained_with(cell, context) | {"sampler": sampler_of(cell, context)}
    return about | {"sampling": SAMPLING_VERSION, "samples": SAMPLES, "steps": STEPS, "bits": bits_of(cell.data)}


EXPERIMENT = Experiment(
    name="large_models",
    title="`diffusion/`, `samples/`: the generators that have learnt from large zoos, and 512 samples of each",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    settings=settings,
    needs=("zoos/{large_zoo}",),
    after=lambda cell, context: choices(cell.data, context),
    makes=("diffusion/{large_zoo}.safetensors", "samples/{large_zoo}"),
    run=run,
    threads=THREADS,
    place=15,
    size="4 × 8 MB",
    time="20 min each",
)
