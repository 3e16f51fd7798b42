"""What a network should predict, by which process, and from which tokens.

One setting at a time is changed from what is used, for our weights (mLoRA-Asym) and for HyperDiffusion's (MLPs): the
prediction of DDPM, flow matching with three shifts of its times, and the largest token. All train by the usual rule.
Losses of different predictions cannot be compared, so each row has the mean squared error of the predicted clean
weights at four levels of noise, on the weights that the training was validated on, and the metrics of samples against
the zoo's validation fits. A perfect network of independent parameters would have the errors 0.09, 0.36, 0.81 and 0.96,
the square of the level.
"""

from dataclasses import replace
from pathlib import Path

import torch

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import DATASETS, THREADS, search_report, seconds_of
from precompute.judging import COUNT, STEPS, judge, searched_settings, train, training_settings
from precompute.tables import write_tables
from wsr.generators.diffusion import Training
from wsr.generators.diffusion.jobs import training_of

SETTINGS = {
    "as used": {}, "noise": {"predict": "epsilon"}, "v": {"predict": "v_prediction"}, "flow": {"predict": "flow"},
    "flow shift 3": {"predict": "flow", "flow_shift": 3.0}, "flow shift 10": {"predict": "flow", "flow_shift": 10.0},
    "tokens 640": {"token_size": 640}, "tokens 320": {"token_size": 320},
    "tokens 320 v": {"token_size": 320, "predict": "v_prediction"},
}  # fmt: skip
LEVELS = (0.3, 0.6, 0.9, 0.98)


def run(cell: Cell, context: Context) -> dict | None:
    """The row of one setting; None for the size of tokens that the layer encoder does not have."""
    setting, config = SETTINGS[cell["setting"]], searched_settings(cell, context)
    training = training_of(context.open_zoo(cell), replace(config, **setting))
    if "token_size" in setting and training.model.representation.rank:
        return None
    seconds = train(training, seconds_of(cell.data), str(cell))
    name = context.zoo(cell.data, cell.representation)
    row = {"model": name, "setting": cell["setting"], "steps": training.best.step, "seconds": seconds}
    samples = training.model.sample(COUNT, steps=STEPS)
    return row | clean_errors(training) | judge(name, context)(samples)


@torch.no_grad()
def clean_errors(training: Training) -> dict[str, float]:
    """The mean squared error of the predicted clean weights, in units of each parameter's variance, by the level of the
    noise."""
    model, (weights, classes) = training.model, training.validation
    data, labels = model.standardise(weights.float()), torch.tensor([model.label(cls) for cls in classes])
    noise = torch.randn(data.shape, generator=torch.Generator().manual_seed(0))

    def predict(x, time):
        return model.network(x, time, labels)

    found = {level: training.process.denoised(predict, data, noise, level) - data for level in LEVELS}
    return {f"error at {level}": float(one.square().mean()) for level, one in found.items()}


def report(found: Found, paths: list[Path], context: Context) -> None:
    write_tables(paths, [row for _, row in found if row], samples=COUNT)


EXPERIMENT = Experiment(
    name="processes",
    title="`reports/processes.*`: DDPM or flow matching, predictions and tokens, one at a time",
    data=DATASETS,
    grid={"representation": ("mlora-asym", "mlp"), "setting": tuple(SETTINGS)},
    settings=lambda cell, context: training_settings(cell, context) | {"used": SETTINGS[cell["setting"]]},
    needs=("zoos/{zoo}",),
    after=lambda cell, context: [search_report(cell.data, context)],
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        (row["model"], row["setting"]) == (context.zoo(cell.data, cell.representation), cell["setting"])
        for row in report["rows"]
    ),
    reports=("reports/processes{tag}.json", "reports/processes{tag}.md"),
    threads=THREADS,
    by_hand=True,
    place=24,
    size="8 kB",
    time="2 h ᵃ (estimated)",
)
