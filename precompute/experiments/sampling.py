"""Which sampler settings are best.

The models are those of mLoRA-Asym for both data sets. One setting at a time is changed from those in use: the noise
level from which the last step leads straight to the weights (`final_noise`), the guidance by class (if there are
several classes), and the number of steps.
"""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import DATASETS, THREADS
from precompute.judging import COUNT, STEPS, judge
from precompute.tables import write_tables
from wsr.generators.diffusion import load_diffusion
from wsr.generators.jobs import SAMPLING_VERSION

SETTINGS = {
    "as used": {}, "end 0": {"final_noise": 0.0}, "end 0.5": {"final_noise": 0.5}, "guidance 1": {"guidance": 1.0},
    "guidance 4": {"guidance": 4.0}, "steps 100": {"steps": 100},
}  # fmt: skip


def run(cell: Cell, context: Context) -> dict | None:
    """The row of one setting; None if it has no effect, such as guidance for a model with one class."""
    model, setting = load_diffusion(context.path(_model(cell, context))), SETTINGS[cell["setting"]]
    if "guidance" in setting and len(model.classes) < 2:
        return None
    used = {"final_noise": model.config.final_noise, "guidance": model.config.guidance, "steps": STEPS} | setting
    name = context.zoo(cell.data, cell.representation)
    row = {"model": name, "end": used["final_noise"], "guidance": used["guidance"], "steps": used["steps"]}
    return row | judge(name, context)(model.sample(COUNT, **used))


def _model(cell: Cell, context: Context) -> str:
    return f"diffusion/{context.zoo(cell.data, cell.representation)}.safetensors"


def held(report: dict, cell: Cell, context: Context) -> bool:
    """Whether a report has the cell's setting of its model. The model's first row has the settings in use."""
    name = context.zoo(cell.data, cell.representation)
    rows = [{key: row[key] for key in ("end", "guidance", "steps")} for row in report["rows"] if row["model"] == name]
    setting = {"end" if key == "final_noise" else key: value for key, value in SETTINGS[cell["setting"]].items()}
    return bool(rows) and rows[0] | setting in rows


def report(found: Found, paths: list[Path], context: Context) -> None:
    write_tables(paths, [row for _, row in found if row], samples=COUNT)


EXPERIMENT = Experiment(
    name="sampling",
    title="`reports/sampling.*`: the final noise, the guidance and the number of steps, one at a time",
    data=DATASETS,
    grid={"representation": ("mlora-asym",), "setting": tuple(SETTINGS)},
    settings=lambda cell, context: {"used": SETTINGS[cell["setting"]], "samples": COUNT, "sampling": SAMPLING_VERSION},
    needs=lambda cell, context: ["zoos/{zoo}", _model(cell, context)],
    run=run,
    report=report,
    held=held,
    reports=("reports/sampling{tag}.json", "reports/sampling{tag}.md"),
    threads=THREADS,
    place=17,
    size="4 kB",
    time="10 min ᵃ",
)
