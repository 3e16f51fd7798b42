"""A baseline for generators of weights: unseen fits, projected onto principal components of training weights.

It shows what is lost of new fits if nothing is kept but what a linear model of the training weights can express. A part
of the training fits is projected onto the first k principal components of the rest (each parameter divided by its
standard deviation) and decoded, and compared with held-out fits by FD. So are the same fits before the projection, and
samples of the generators that have learnt from the zoo, all in equal numbers, because FD falls as they grow. For
held-out fits, the share of their variance that the components keep and the quality of the projections are reported too.

It is no bound. A generator may combine training weights in other ways than linearly, and does: of three seeds of
mLoRA-Asym's generators of shapes one has a lower FD than the projections onto all components, with less than 1 % of
copies (the README has the numbers). A lower FD is therefore no sign of copies; `audits` looks for them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import DATASETS, generators
from precompute.judging import Judge
from precompute.tables import write_tables
from wsr.analysis.learnability import projected
from wsr.data import load_signals
from wsr.data.registry import groups
from wsr.fields import registry
from wsr.fitting.problem import make_problem
from wsr.zoo import Zoo

COMPONENTS, HELD_OUT, POINTS = (64, 256, None), 32, 20_000  # None: all components
LEARNT = 0.8  # share of the training weights onto which the others are projected; groups are not divided
COUNT = 100  # weights on either side of every FD, if there are as many


def run(cell: Cell, context: Context) -> list[dict]:
    context.prepare(cell.data)
    samples = [Zoo.open(path) for path in sampled(cell, context) if (path / "zoo.json").exists()]
    return measured(context.open_zoo(cell), samples, context.device)


def sampled(cell: Cell, context: Context) -> list[Path]:
    """Where the samples of the generators of a zoo are, by seed."""
    ours = [one for one in generators((cell.data,)) if one.representation == cell.representation and one.encoder]
    return [context.path(f"samples/{one.name(context)}") for one in ours]


def measured(zoo: Zoo, samples: list[Zoo], device: str) -> list[dict]:
    training, learnt = _parts(zoo)
    rest, known = training[~learnt], training[learnt]
    fits = zoo.good("heldout")["id"].tolist()
    count = min(COUNT, len(rest), len(fits), *map(len, samples))
    judge, heldout = Judge(zoo, fits[:count], device), zoo.weights(fits[:HELD_OUT])
    signals = load_signals(zoo.meta["dataset"], fits[:HELD_OUT])
    evaluator = make_problem(signals, zoo.resolution, evaluation_points=POINTS).evaluator

    def quality(weights: Float[Tensor, "n p"]) -> float:
        return float(np.mean(evaluator.quality(zoo.representation, weights)))

    row, rows = {"zoo": zoo.path.name, "count": count}, []
    for k in COMPONENTS:
        within, share = projected(heldout, training, k)
        found = {"of": "projections", "components": k or "all", "share": share, "quality": quality(within)}
        rows.append(row | found | {"FD": judge.distances(projected(rest[:count], known, k)[0])["FD"]})
    whole = {"of": "fits", "quality": quality(heldout), "FD": judge.distances(rest[:count])["FD"]}
    ours = [{"of": one.path.name, **_sampled(judge, one, count)} for one in samples]
    return rows + [row | found for found in (whole, *ours)]


def _sampled(judge: Judge, samples: Zoo, count: int) -> dict[str, float]:
    found = judge(samples.weights(samples.ids[:count]))
    return {"FD": found["FD"], "copies": 1 - found["novel"]}


def _parts(zoo: Zoo) -> tuple[Float[Tensor, "n p"], Tensor]:
    """Returns the training weights, and which of them the others are projected onto."""
    ids = zoo.good("train")["id"].tolist()
    number = pd.factorize(pd.Series(groups(zoo.meta["dataset"], ids)))[0]
    return zoo.weights(ids), torch.from_numpy(number < LEARNT * (number.max() + 1))


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [row for _, rows in found for row in rows]
    write_tables(paths, rows, heldout=HELD_OUT, learnt=LEARNT, count=COUNT)


EXPERIMENT = Experiment(
    name="spans",
    title="`reports/spans.*`: a baseline of generators, unseen fits projected onto principal components of training "
    "weights",
    data=DATASETS,
    grid={"representation": registry.names},
    settings=lambda cell, context: {
        "components": COMPONENTS, "heldout": HELD_OUT, "learnt": LEARNT, "points": POINTS, "count": COUNT,
    },
    needs=("zoos/{zoo}",),
    uses=lambda cell, context: [f"samples/{path.name}" for path in sampled(cell, context)],
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        row["zoo"] == context.zoo(cell.data, cell.representation) for row in report["rows"]
    ),
    reports=("reports/spans{tag}.json", "reports/spans{tag}.md"),
    place=21,
    size="4 kB",
    time="5 min a zoo ᵃ",
    version=2,
)  # fmt: skip
