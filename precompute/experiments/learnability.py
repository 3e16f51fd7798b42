"""Which ways of fitting make weights learnable: one lever at a time, and several together.

A lever is a change of how instances are fitted (`wsr.presets.Protocol`, or the rank). With each lever, 800 training and
up to 200 validation signals are fitted, and 64 of the latter a second time from an independent start. Four measures
judge the weights (`wsr.analysis.learnability`): the share of noise, the share of validation fits in the span of n
training fits, how well a ridge regression reads the attributes, and the FD of one small generator. First and second
fits use different points, except under the lever "the same points", where they differ by their start alone.

Everything is judged on `validation`. The report names the winner: among the levers that lose at most 0.5 dB or an IoU
of 0.005 against the paper's protocol, the one with the lowest FD. It becomes the fit preset `structured`
(`wsr.presets.PROTOCOLS`).
"""

import shutil
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.fits import base_needed, fitted
from precompute.learnability_drawn import draw
from precompute.learnable import fits_of, fitted_in_cache, learnt_and_unseen, measured
from precompute.selection import modality_of
from precompute.tables import write_tables
from wsr.analysis.learnability import generated_distance
from wsr.data import Signals
from wsr.data.registry import slug
from wsr.fitting.fit import representation_for
from wsr.fitting.settings import FitSettings
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.presets import PAPER_LIKE, Protocol
from wsr.progress import bar
from wsr.zoo import Zoo

TRAINING, UNSEEN, PAIRS = 800, 200, 64
COUNTS = (100, 200, 400, 800)  # numbers of training fits that form a span
GENERATOR_STEPS, SAMPLER_STEPS = 1500, 50
WITHIN = {"image": 0.5, "occupancy": 0.005}  # dB, IoU: the largest loss of quality that the winner may have
GENTLE = Protocol(lr=0.5, pull=0.1, average=0.25)
LEVERS: dict[str, Protocol] = {
    PAPER_LIKE: Protocol(),
    "the same points": Protocol(shared_points=True),
    "pull 0.1": Protocol(pull=0.1),
    "pull 0.5": Protocol(pull=0.5),
    "average of the last ½": Protocol(average=0.5),
    "rate × ½": Protocol(lr=0.5),
    "rate × ¼": Protocol(lr=0.25),
    "steps × 2": Protocol(steps=2.0),
    "rate × ½, steps × 2": Protocol(lr=0.5, steps=2.0),
    "rank 2": Protocol(),
    "together": replace(GENTLE, shared_points=True),
    "together, own points": GENTLE,
    "together, steps × 2": replace(GENTLE, shared_points=True, steps=2.0),
    # from an encoder's starts, which `steps` then counts in units of (30 for images, 350 for shapes)
    "encoded": Protocol(encoded=True),
    "encoded, rate × ½, steps × 2": Protocol(encoded=True, lr=0.5, steps=2.0),
    "encoded, rate × ¼": Protocol(encoded=True, lr=0.25),
    "encoded, rate × ¼, steps × 5": Protocol(encoded=True, lr=0.25, steps=5.0),
}
RANKS = {"rank 2": 2}  # rank of the adapters, for levers that change it


def signals_of(data: str) -> Signals:
    return learnt_and_unseen(data, TRAINING, UNSEEN)


def run(cell: Cell, context: Context) -> dict:
    context.prepare(cell.data)
    signals = signals_of(cell.data)
    zoo = _zoo(cell, context, signals, 0)
    again = _zoo(cell, context, signals.where(split="validation")[:PAIRS], 1)
    training, _, twice = fits_of(zoo, again)
    about, read = measured(zoo, again, COUNTS)
    row = {"lever": cell["lever"], **about}
    row |= _generated(zoo, zoo.weights(training), cell, context)
    row |= {"seconds a fit": float(zoo.index["seconds"].mean()), "fits": len(zoo), "pairs": len(twice)}
    for made in (zoo, again):
        shutil.rmtree(made.path)
    return {"row": row, "attributes": read.to_dict("records")}


def _zoo(cell: Cell, context: Context, signals: Signals, number: int) -> Zoo:
    """Fits signals with a lever. number: as in `fitted_in_cache`."""
    model = representation_for(
        cell.representation, context.base(cell.data), signals.modality, RANKS.get(cell["lever"]), context.preset
    )
    asked = FitSettings(preset=context.preset, protocol=LEVERS[cell["lever"]])
    return fitted_in_cache(f"learnability-{cell.key}", model, signals, asked, number, cell, context)


def _generated(zoo: Zoo, weights: Float[Tensor, "n p"], cell: Cell, context: Context) -> dict[str, float]:
    """FD of the samples of a small generator, and FD of training fits for comparison."""
    training, begun = training_of(zoo, generator_config(cell, context)), time.process_time()
    with bar(f"{cell} (generator)") as update:
        for record in training.run(monitor_every=0):
            update(record.step, record.steps, f"validation loss {record.validation or 0:.4f}")
    samples = training.model.sample(UNSEEN, steps=SAMPLER_STEPS)
    extractor = context.shared(("extractor", zoo.modality.name), zoo.modality.extractor)
    fits, where = weights[torch.randperm(len(weights))[:UNSEEN]], {"device": context.device}
    found = {"FD": generated_distance(zoo, samples, extractor, **where)}
    found["FD of training fits"] = generated_distance(zoo, fits, extractor, **where)
    best = training.best.step if training.best else training.step
    return found | {"generator steps": best, "generator seconds": time.process_time() - begun}


def generator_config(cell: Cell, context: Context) -> DiffusionConfig:
    config = diffusion_preset(context.preset, cell.representation)
    return replace(config, steps=min(GENERATOR_STEPS, config.steps or GENERATOR_STEPS), epochs=None)


def needed(cell: Cell, context: Context) -> list[str]:
    """The base, and the encoder if fits start where it says."""
    encoded = ["encoders/{base}-{representation}.safetensors"] if LEVERS[cell["lever"]].encoded else []
    return [*base_needed(cell, context), *encoded]


def settings(cell: Cell, context: Context) -> dict:
    about = {"lever": LEVERS[cell["lever"]], "rank": RANKS.get(cell["lever"]), "pairs": PAIRS, "counts": COUNTS}
    about |= {"generator": generator_config(cell, context), "training": VERSION, "sampler": SAMPLER_STEPS}
    return fitted(cell, context) | about


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [{"data set": slug(cell.data), **value["row"]} for cell, value in found]
    read = [
        {"data set": slug(cell.data), "lever": cell["lever"], **one}
        for cell, value in found for one in value["attributes"]
    ]  # fmt: skip
    chosen = {data: _chosen([row for row in rows if row["data set"] == slug(data)], data)
              for data in dict.fromkeys(cell.data for cell, _ in found)}  # fmt: skip
    about = {"training fits": TRAINING, "unseen fits": UNSEEN, "pairs": PAIRS, "within": WITHIN, "chosen": chosen}
    tables = [path for path in paths if path.suffix != ".png"]
    write_tables(tables, rows, preset=context.preset, **about, attributes=read)
    draw(pd.DataFrame(rows), COUNTS, next(path for path in paths if path.suffix == ".png"))


def _chosen(rows: list[dict], data: str) -> str | None:
    """The winning lever of a data set; None as long as the paper's protocol has not been measured."""
    plain = next((row["quality"] for row in rows if row["lever"] == PAPER_LIKE), None)
    if plain is None:
        return None
    modality = modality_of(data)
    sign, within = 1 if modality.higher_is_better else -1, WITHIN.get(modality.name, modality.negligible)
    good = [row for row in rows if sign * (plain - row["quality"]) <= within]
    return min(good, key=lambda row: row["FD"])["lever"]


EXPERIMENT = Experiment(
    name="learnability",
    title="`reports/learnability.*`: which ways of fitting make weights learnable, with 1,000 fits and a small "
    "generator for each lever and for several together; the winner becomes the fit preset `structured`",
    data=("faces", "shapes10"),
    grid={"representation": ("mlora-asym",), "lever": lambda: tuple(LEVERS)},
    signals=signals_of,
    settings=settings,
    needs=needed,
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        (row["data set"], row["lever"]) == (slug(cell.data), cell["lever"]) for row in report["rows"]
    ),
    reports=tuple(f"reports/learnability{{tag}}.{ending}" for ending in ("json", "md", "png")),
    by_hand=True,
    place=25,
    size="0.2 MB",
    time="26 cells, 15 to 40 min each (estimated)",
)
