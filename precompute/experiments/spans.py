"""A bound on generators that learn from few weights without copying them.

A generator that has learnt from 800 weights makes weights in their span, or noise. To see what that span can express,
unseen fits are projected onto the first k principal components of training weights (each parameter divided by its
standard deviation), and decoded. For held-out fits this gives the share of their variance that lies in the span, and
the quality of the projections. A part of the training fits is also projected onto the components of the rest, and
compared with held-out fits by FD. Samples with a lower FD must contain copies: they show details that other weights
cannot provide.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import DATASETS
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


def run(cell: Cell, context: Context) -> list[dict]:
    context.prepare(cell.data)
    return measured(context.open_zoo(cell), context.device)


def measured(zoo: Zoo, device: str = "cpu") -> list[dict]:
    judge, rows = Judge(zoo, device=device), []
    ids = zoo.good("train")["id"].tolist()
    number = pd.factorize(pd.Series(groups(zoo.meta["dataset"], ids)))[0]
    training, learnt = zoo.weights(ids), torch.from_numpy(number < LEARNT * (number.max() + 1))
    ids = zoo.good("heldout")["id"].tolist()[:HELD_OUT]
    heldout, signals = zoo.weights(ids), load_signals(zoo.meta["dataset"], ids)
    evaluator = make_problem(signals, zoo.resolution, evaluation_points=POINTS).evaluator

    def quality(weights: Float[Tensor, "n p"]) -> float:
        return float(np.mean(evaluator.quality(zoo.representation, weights)))

    row = {"zoo": zoo.path.name, "fits": quality(heldout), "unseen": int((~learnt).sum())}
    for k in COMPONENTS:
        within, share = projected(heldout, training, k)
        unseen, _ = projected(training[~learnt], training[learnt], k)
        found = {"components": k or "all", "share": share, "projected": quality(within)}
        rows.append(row | found | {"FD of unseen": judge(unseen)["FD"]})
    return rows


def report(found: Found, paths: list[Path], context: Context) -> None:
    write_tables(paths, [row for _, rows in found for row in rows], heldout=HELD_OUT, learnt=LEARNT)


EXPERIMENT = Experiment(
    name="spans",
    title="`reports/spans.*`: how much of an unseen fit lies in the span of the training weights, which bounds a "
    "generator that does not copy",
    data=DATASETS,
    grid={"representation": registry.names},
    settings=lambda cell, context: {
        "components": COMPONENTS, "heldout": HELD_OUT, "learnt": LEARNT, "points": POINTS,
    },
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        row["zoo"] == context.zoo(cell.data, cell.representation) for row in report["rows"]
    ),
    reports=("reports/spans{tag}.json", "reports/spans{tag}.md"),
    place=21,
    size="4 kB",
    time="3 min a zoo ᵃ",
)  # fmt: skip
