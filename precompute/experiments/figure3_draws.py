"""Figure 3 as the paper has it: airplanes, starts N(0, I), and several draws of mask, starts and points.

`figure3` and `zero_starts` have one mask, and fit a representation and its masked twin at two learning rates, so that
they tell what a mask does from one mask, and a rate beside it. Here every draw has another mask, other starts and other
points, the frozen entries of masks are N(0, κI) as the paper writes it, and a representation is fitted at the rate of
its twin as well where `learning_rates` has given the two different ones. Standalone MLPs start at the scale of each
layer. mLoRA-Asym is also fitted twice from one start (λ = 0), where only the points differ.

For each target a row has what is lost halfway between its two fits (IoU, and the Chamfer distance ×10²) and the cosine
of the two fits; the floor beside it is that of fits of different targets.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import trimesh

from precompute.claims.claim import KAPPA
from precompute.draws import LITERAL, drawn_model, fits_from, over_draws
from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments.figure3 import INSTANCES, POINTS, SURFACE, signals_of
from precompute.fits import base_needed, fitted
from precompute.records import keep, kept
from precompute.tables import PAPER, write_tables
from wsr.analysis.connectivity import Pair, chamfers, connect, similarity
from wsr.data import Signals
from wsr.fields import registry
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import Start
from wsr.modalities.targets import Evaluator

DRAWS = 5
ALPHAS = (0.0, 0.5, 1.0)
CONTROL = PAPER["representations"][-1]  # which is fitted from one start as well


@dataclass(frozen=True)
class Targets:
    """What all cells of a data set share. meshes: the targets' surfaces; none of pictures."""

    signals: Signals
    evaluator: Evaluator
    meshes: list[trimesh.Trimesh]


def targets(cell: Cell, context: Context) -> Targets:
    def made() -> Targets:
        signals, resolution = signals_of(cell.data), context.settings(cell.data).resolution
        meshes = [signal.read() for signal in signals] if signals.modality.has_surface else []
        return Targets(signals, make_problem(signals, resolution, evaluation_points=POINTS).evaluator, meshes)

    return context.shared(("figure 3 in draws", cell.data), made)


def run(cell: Cell, context: Context) -> list[list[dict]]:
    """For each λ the rows of all draws; those of a killed run are kept."""
    lambdas = lambdas_of(cell.representation)
    found = kept(cell) or [[] for _ in lambdas]
    for number in range(len(found[-1]), DRAWS):
        for rows, row in zip(found, drawn(number, cell, context, lambdas), strict=True):
            rows.append(row)
        keep(cell, found)
    return found


def lambdas_of(name: str) -> tuple[float, ...]:
    """How far apart the two starts are; 0: they are one."""
    return (1.0, 0.0) if name == CONTROL else (1.0,)


def drawn(number: int, cell: Cell, context: Context, lambdas: Iterable[float]) -> list[dict]:
    """The rows of one draw, one for each λ."""
    shared, model = targets(cell, context), drawn_model(number, cell, context, LITERAL)
    settings, alone = context.settings(cell.data), not registry.named(cell.representation).needs_base
    config = replace(settings.fit.of(cell.representation), lr=cell["lr"])
    start = Start(init_seed=number) if alone else Start(init="normal", sigma=1.0, init_seed=number)
    about = {"resolution": settings.resolution, "device": context.device}
    first = fits_from(start.of(model), model, shared.signals, config, seed=2 * number, **about).weights
    rows = []
    for value in lambdas:
        moved = replace(start, perturb=value)
        second = fits_from(moved.of(model), model, shared.signals, config, seed=2 * number + 1, **about).weights
        starts = start.of(model), moved.of(model)
        pair = Pair(model, shared.signals.ids, first, second, starts, model.initial_mean(start.init))
        rows.append({"λ": value} | measured(pair, shared))
    return rows


def measured(pair: Pair, shared: Targets) -> dict:
    """What a draw says of each target."""
    line, alike = connect(pair, shared.evaluator, ALPHAS), similarity(pair.a, pair.b)
    row = {"start cosine": float(torch.nn.functional.cosine_similarity(*pair.starts, dim=0)), "floor": alike.floor}
    row |= {"quality": float(line.quality[:, [0, -1]].mean()), "drops": line.drop.round(4).tolist()}
    row |= {"cosines": alike.cosine.round(4).tolist()}
    if shared.meshes:
        line.chamfer = 100 * chamfers(pair, shared.meshes, SURFACE, ALPHAS)
        row["rises"] = line.rise.round(3).tolist()
    return row


def report(found: Found, paths: list[Path], context: Context) -> None:
    data, rows, raw = found[0][0].data, [], []
    for cell, by_lambda in found:
        for draws in by_lambda:
            about = {"representation": cell.representation, "lr": cell["lr"], "lambda": draws[0]["λ"]}
            rows.append(about | told(draws))
            raw.append(about | {key: [draw[key] for draw in draws] for key in draws[0] if key != "λ"})
    about = {"preset": context.preset, "dataset": data, "ids": signals_of(data).ids, KAPPA: LITERAL, "draws": DRAWS}
    about |= {"surface": f"{SURFACE}³, 2,048 points, plain distances, both directions summed, ×10²", "of targets": raw}
    write_tables(paths, rows, **about)


def told(draws: list[dict]) -> dict:
    """Means over draws and targets, with half the 95 % interval."""
    row = {"start cosine": float(np.mean([draw["start cosine"] for draw in draws]))}
    row |= {"quality": float(np.mean([draw["quality"] for draw in draws]))}
    for key, title in (("drops", "lost halfway"), ("rises", "Chamfer rise"), ("cosines", "cosine")):
        if key in draws[0]:
            found = over_draws([draw[key] for draw in draws])
            row |= {title: found.mean, f"{title} ±": found.half}
    return row | {"floor": float(np.mean([draw["floor"] for draw in draws]))}


def grid(context: Context) -> list[dict]:
    return [
        {"data": data, "representation": name, "lr": lr}
        for data in context.data(EXPERIMENT)
        for name in reversed(registry.names())
        for lr in rates_of(name, data, context)
    ]


def rates_of(name: str, data: str, context: Context) -> list[float]:
    """The learning rates at which a representation is fitted: its own, and that of its masked or plain twin."""
    twins = [other for other in registry.names() if name in (other, registry.named(other).twin)]
    names = dict.fromkeys([name, *filter(None, [registry.named(name).twin]), *twins])
    return list(dict.fromkeys(context.settings(data).fit.of(one).lr for one in names))


EXPERIMENT = Experiment(
    name="figure3_draws",
    title="`reports/figure3-draws-*`: Figure 3 as the paper has it, airplanes and starts N(0, I), in five draws of "
    "mask, starts and points",
    data=("shapes10/airplane",),
    grid=grid,
    signals=signals_of,
    settings=lambda cell, context: {
        **fitted(cell, context),
        "points": POINTS,
        "surfaces": SURFACE,
        "draws": DRAWS,
        "κ": LITERAL,
    },
    needs=base_needed,
    run=run,
    report=report,
    work=lambda cell, context: {"fits": 2 * INSTANCES * DRAWS},
    reports=tuple(f"reports/figure3-draws-{{data}}.{ending}" for ending in ("json", "md")),
    report_by=("data",),
    threads=1,
    place=9,
    size="0.1 MB",
    time="6 to 20 min a cell",
)
