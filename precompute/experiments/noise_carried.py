"""Whether a diffusion transformer carries the noise that it is to predict: the paper's widths, scaled down.

The paper's transformer is 2,880 wide (section 8.5). A layer of an adapter has 2 · 4 · 256 = 2,048 numbers in 2D and
2 · 3 · 512 = 3,072 in 3D, and a pair 512 and 1,024 numbers of a size of 720 and 960: in 3D noise of 3,072 independent
numbers must pass 2,880. What does not pass is missing in the prediction, at least 6 % of the noise, and where noise is
all that there is (at the last step the weights' share of the variance is 0.0066) 6 % of it are 9 times the variance of
the weights that are computed from it.

So networks of the same ratios learn the same weights, mLoRA's fits of shapes, of which `RANK` rank components and the
first `CHANNELS` channels are taken: 192 numbers a layer, 64 a pair. Each is judged on held-out fits by the mean squared
error of the clean weights that follow from its prediction (the variance of the weights is 1), and by the standard
deviation of samples, in units of the weights'. After 600 steps:

| predicts | width | error at a noise level of 0.3 | 0.7 | 0.9 | 0.99 | std of samples |
|---|---|---|---|---|---|---|
| noise, at 2D's ratio | 270 | 0.09 | 0.45 | 0.78 | 2.1 | 1.6 |
| noise, at 3D's ratio | 180 | 0.09 | 0.53 | 1.31 | 9.3 | 5.1 |
| noise, at 3D's ratio, with a skip | 180 | 0.09 | 0.47 | 0.76 | 0.97 | 0.95 |
| the weights, at 3D's ratio | 180 | 0.28 | 0.52 | 0.75 | 0.93 | 0.94 |

An error above 1 is worse than that of predicting the mean, and samples with five times the standard deviation are like
no fit. Both ways out work. The preset `paper` takes the skip for shapes, which leaves equation 6, the objective,
as it is, and is better where there is little noise; for images it keeps the paper's network.
"""

from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.tables import write_tables
from wsr.fields.base import BaseField
from wsr.fields.lora import Adapter
from wsr.fields.representation import Representation, make_representation
from wsr.generators.diffusion import DiffusionConfig, Training, WeightDiffusion
from wsr.generators.diffusion.process import make_process
from wsr.generators.diffusion.training import VERSION
from wsr.progress import bar

RANK, CHANNELS = 3, 32
DEPTH, BATCH, LR, STEPS = 2, 96, 1e-3, 600
LEVELS = (0.3, 0.7, 0.9, 0.99)  # noise levels; the squared share of the weights is 0.91, 0.51, 0.19 and 0.02
SAMPLES, SAMPLE_STEPS = 64, 50
# Width of the transformer by numbers of a layer, in the paper: 2D and 3D.
RATIOS = {"2D": 2880 / 2048, "3D": 2880 / 3072}
WAYS = {
    "noise-2d": ("2D", {"predict": "epsilon"}),
    "noise-3d": ("3D", {"predict": "epsilon"}),
    "noise-3d-skip": ("3D", {"predict": "epsilon", "skip": True}),
    "weights-3d": ("3D", {"predict": "sample"}),
}


def config_of(way: str) -> DiffusionConfig:
    """The settings of a network: the paper's ratios of width, and of a pair's size, at the size of the part."""
    ratio, changes = WAYS[way]
    width = round(2 * RANK * CHANNELS * RATIOS[ratio])
    return DiffusionConfig(width, DEPTH, RANK, BATCH, LR, STEPS, ema=0.99, **changes)


def part_of(model: Adapter, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n q"]:
    """Takes the first `RANK` rank components and `CHANNELS` channels of every layer."""
    a, b = model.pairs(model.layout.fill(weights.float()))
    a, b = a[..., :RANK, :CHANNELS], b[..., :CHANNELS, :RANK]
    return torch.stack([a.flatten(2), b.flatten(2)], 1).permute(2, 0, 1, 3).flatten(1)


def small_twin(model: Adapter) -> Representation:
    """The representation whose weights such parts are. Its base is never evaluated."""
    field = replace(model.config, channels=CHANNELS, rank=RANK)
    return make_representation(model.kind.unmasked.name, BaseField(field), field)


def run(cell: Cell, context: Context) -> dict:
    zoo = context.open_zoo(cell)
    ids = (zoo.good(split)["id"].tolist() for split in ("train", "heldout"))
    train, held = (part_of(zoo.representation, zoo.weights(one)) for one in ids)
    model = WeightDiffusion.new(small_twin(zoo.representation), train, config_of(cell["way"]), ["all"])
    training = Training(model, train, ["all"] * len(train))
    with bar(str(cell)) as update:
        for record in training.run(monitor_every=0):
            update(record.step, record.steps, f"loss {record.loss:.3f}")
    row = {"way": cell["way"], "width": model.config.width, "loss": training.losses[-1]}
    return row | judged(model, held)


@torch.no_grad()
def judged(model: WeightDiffusion, held: Float[Tensor, "m p"]) -> dict[str, float]:
    """The errors of the clean weights by noise level, and the standard deviation of samples."""
    clean = model.standardise(held)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    label, process = torch.zeros(len(clean), dtype=torch.long), make_process(model.config)
    found = {}
    for level in LEVELS:
        predicted = process.denoised(lambda x, time: model.network(x, time, label), clean, noise, level)
        found[f"error at {level}"] = float((predicted - clean).square().mean())
    samples = model.standardise(model.sample(SAMPLES, steps=SAMPLE_STEPS))
    return found | {"std of samples": float(samples.square().mean().sqrt())}


def report(found: Found, paths: list[Path], context: Context) -> None:
    about = {"rank": RANK, "channels": CHANNELS, "depth": DEPTH, "steps": STEPS, "samples": SAMPLES}
    write_tables(paths, [row for _, row in found], **about)


EXPERIMENT = Experiment(
    name="noise_carried",
    title="`reports/noise-carried.*`: whether networks of the paper's widths, scaled down, carry the noise that they "
    "predict",
    data=("shapes10",),
    grid={"representation": ("mlora",), "way": lambda: tuple(WAYS)},
    settings=lambda cell, context: {
        "config": config_of(cell["way"]), "training": VERSION, "rank": RANK, "channels": CHANNELS, "levels": LEVELS,
        "samples": SAMPLES, "sample steps": SAMPLE_STEPS,
    },
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    reports=("reports/noise-carried{tag}.json", "reports/noise-carried{tag}.md"),
    threads=1,
    by_hand=True,
    place=24,
    size="2 kB",
    time="20 min ᵃ",
)  # fmt: skip
