"""How the generators of the large zoos are best sampled: every pair of a guidance and a final noise, for mLoRA-Asym and
for MLPs (HyperDiffusion), judged by FD on the validation split. Everything else samples with the best pair."""

from pathlib import Path

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import THREADS, large_search_report
from precompute.judging import STEPS, Judge
from precompute.large import REPRESENTATIONS, whole
from precompute.large_generators import config_of, counts, sampling_report, trained, trained_with
from precompute.tables import write_json
from wsr.generators.diffusion import WeightDiffusion
from wsr.generators.diffusion.jobs import learnt_and_unseen
from wsr.generators.files import load_generator
from wsr.generators.jobs import SAMPLING_VERSION, training_rows
from wsr.zoo import Zoo

GUIDANCES, FINAL_NOISES = (1.0, 1.5, 2.5), (0.0, 0.1, 0.3)
SAMPLES = 300


def judge_of(zoo: Zoo, context: Context) -> Judge:
    """Judges by the weights on which the training is validated: those of the validation split, or of a data set without
    one, those that training sets aside."""
    return Judge(zoo, learnt_and_unseen(zoo, training_rows(zoo, None))[1]["id"].tolist(), context.device)


def run(cell: Cell, context: Context) -> dict:
    zoo = whole(cell, context)
    judge = context.shared(("judge of the validation", zoo.path), lambda: judge_of(zoo, context))
    model = context.shared(("sampled", zoo.path), lambda: _model(zoo, cell, context))
    drawn = {name: cell[name] for name in ("guidance", "final_noise")}
    return drawn | judge.distances(model.sample(SAMPLES, steps=STEPS, seed=0, **drawn))


def _model(zoo: Zoo, cell: Cell, context: Context) -> WeightDiffusion:
    path = trained(zoo, config_of(cell, context), counts(cell.data)[-1], 0, str(cell))
    return load_generator(path).to(context.device)


def settings(cell: Cell, context: Context) -> dict:
    return trained_with(cell, context) | {"sampling": SAMPLING_VERSION, "samples": SAMPLES, "steps": STEPS}


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [{"representation": cell.representation, **row} for cell, row in found]
    write_json(paths[0], {"data set": context.named(found[0][0].data), "samples": SAMPLES, "rows": rows})


EXPERIMENT = Experiment(
    name="large_sampling",
    title="`reports/large-sampling-*.json`: guidance and final noise for the generators of the large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS, "guidance": GUIDANCES, "final_noise": FINAL_NOISES},
    settings=settings,
    needs=("zoos/{large_zoo}",),
    after=lambda cell, context: [large_search_report(cell.data, context)],
    run=run,
    report=report,
    report_by=("data",),
    held=lambda report, cell, context: any(
        all(row[axis] == cell[axis] for axis in ("representation", "guidance", "final_noise")) for row in report["rows"]
    ),
    reports=lambda cell, context: [sampling_report(cell.data, context)],
    threads=THREADS,
    place=13,
    size="2 × 5 kB",
    time="20 min of training, then 2 min a cell (estimated)",
)
