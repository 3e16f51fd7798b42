"""The scaling law: how good generated weights are, and how new, by the number of weights that a generator learns from.

The large zoos (`precompute.large`) of mLoRA-Asym and of MLPs (HyperDiffusion) are compared. A generator learns from the
first n training weights, until the loss on the validation split no longer falls. Its samples are judged against the
test split: by FD and the maximum mean discrepancies, and by the share of copies, whose thresholds are set on the
validation split. Beside them stand the same figures of as many training fits, which are the floor, and the share of
the test fits that lies in the span of the n training fits.
"""

import time
from pathlib import Path

import pandas as pd

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.final import final_fits
from precompute.generators import SEEDS, STEPS, THREADS
from precompute.judging import Judge
from precompute.large import REPRESENTATIONS, whole
from precompute.large_generators import choices, config_of, counts, sampler_of, trained, trained_with
from precompute.scaling_drawn import draw
from precompute.selection import modality_of
from precompute.tables import write_tables
from wsr.analysis.learnability import projected
from wsr.data.registry import slug
from wsr.generators.files import load_generator
from wsr.zoo import Zoo

SAMPLES = 500


def grid(context: Context) -> list[dict]:
    return [
        {"data": data, "representation": name, "count": count, "seed": seed}
        for seed in SEEDS for data in context.data(EXPERIMENT) for count in counts(data) for name in REPRESENTATIONS
    ]  # fmt: skip


def judge_of(zoo: Zoo, context: Context) -> tuple[Judge, dict[str, float]]:
    """What judges the samples of all generators of a large zoo, and its distances of as many training fits."""
    rows = final_fits(EXPERIMENT, zoo)
    judge = Judge(zoo, rows[rows["status"] == "ok"]["id"].tolist(), context.device)
    return judge, judge.distances(zoo.weights(zoo.good("train")["id"].tolist()[: len(judge.fits)]))


def run(cell: Cell, context: Context) -> dict:
    zoo = whole(cell, context)
    judge, floor = context.shared(("judge of the test", zoo.path), lambda: judge_of(zoo, context))
    path = trained(zoo, config_of(cell, context), cell["count"], cell["seed"], str(cell))
    model = load_generator(path).to(context.device)
    begun, about = time.process_time(), model.about
    row = judge(model.sample(SAMPLES, steps=STEPS, seed=cell["seed"], **sampler_of(cell, context)))
    row |= {f"{name} of fits": value for name, value in floor.items()}
    row["span share"] = projected(judge.fits, zoo.weights(zoo.good("train")["id"].tolist()[: cell["count"]]))[1]
    losses = dict(about["evaluations"])
    best = about.get("best", about["steps"])
    row |= {"steps": best, "validation loss": losses[best]} if best in losses else {"steps": best}
    return row | {"training seconds": about["cpu_seconds"], "judging seconds": time.process_time() - begun}


def settings(cell: Cell, context: Context) -> dict:
    return trained_with(cell, context) | sampler_of(cell, context) | {"samples": SAMPLES, "steps": STEPS}


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = pd.DataFrame([
        {"data set": slug(cell.data), **{axis: cell[axis] for axis in ("representation", "count", "seed")}, **row}
        for cell, row in found
    ])  # fmt: skip
    drawn = [path for path in paths if path.suffix == ".png"]
    features = modality_of(found[0][0].data).extractor().name
    about = {"preset": context.preset, "samples": SAMPLES, "extractor": features}
    write_tables([path for path in paths if path not in drawn], rows, **about)
    draw(rows, drawn[0])


EXPERIMENT = Experiment(
    name="scaling",
    title="`reports/scaling-*.*`: FD, copies and span share by the number of weights that a generator learns from",
    data=("faces", "shapes10"),
    grid=grid,
    settings=settings,
    needs=("zoos/{large_zoo}",),
    after=lambda cell, context: choices(cell.data, context),
    run=run,
    report=report,
    report_by=("data",),
    held=lambda report, cell, context: any(
        all(row[axis] == cell[axis] for axis in ("representation", "count", "seed"))
        and "novel" in row  # the first rows of faces have no verdicts
        for row in report["rows"]
    ),
    reports=tuple(f"reports/scaling-{{data}}.{ending}" for ending in ("json", "md", "png")),
    final=True,
    threads=THREADS,
    place=16,
    size="0.2 MB",
)  # fmt: skip
