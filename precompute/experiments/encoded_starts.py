"""What encoded starts change: how good short fits are, what an encoder knows, and how learnable the weights are.

Everything is of `validation`. One table has the quality after few steps from encoded and from plain starts, beside the
preset's full fit, each number of steps with a schedule of its own. For the full fit, and for the encoder's own number
of steps, it also has what `learnability` measures, and the barrier between two fits of one target from independent
starts and points. The other table has the share of instances that an encoder knows, of its own data set and of others.

What counts as known is set on the first validation signals (`wsr.fitting.encoders.UNSEEN`), so that 95 % of those are
known by construction. The share is therefore of the others, if there are enough.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import torch

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.fits import SIGMA, fitted
from precompute.learnable import fits_of, fitted_in_cache, learnt_and_unseen, measured, spread
from precompute.selection import base_data, bases_of, modality_of
from precompute.tables import write_tables
from wsr.analysis.connectivity import Pair, connect
from wsr.data import Signals, load_signals
from wsr.data.registry import slug
from wsr.fields import registry
from wsr.fields.representation import Representation
from wsr.fitting.encoder_files import encoder_for
from wsr.fitting.encoders import UNSEEN, encoder_config
from wsr.fitting.fit import fit, representation_for
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import FitSettings, Start
from wsr.zoo import Zoo

STEPS = (0, 10, 30, 70)
FITTED, LEARNT, PAIRS = 64, 400, 64  # validation fits for each number of steps; training fits; targets fitted twice
UNSEEN_FITS = 100  # validation fits that are compared with the span of training fits
COUNTS = (100, 200, 400)
JUDGED = 200  # instances of a data set of which the share that is known is measured
LEAST = 20  # fewer validation signals than these, beyond those that set what is known, say nothing
OTHERS = {"emoji": ("faces",), "faces": ("emoji",)}  # of the same modality, which an encoder has not learnt
STARTS = ("plain", "encoded")


def signals_of(data: str) -> Signals:
    return learnt_and_unseen(data, LEARNT, UNSEEN_FITS)


def run(cell: Cell, context: Context) -> dict:
    context.prepare(cell.data)
    signals, model = signals_of(cell.data), _model(cell, context)
    rows = [row for start in STARTS for row in _short_fits(cell, context, start)]
    attributes = []
    for start in STARTS:
        row, read = _learnt(cell, context, signals, model, start)
        rows.append(row)
        attributes += [{"start": start, **one} for one in read]
    return {"rows": rows, "attributes": attributes, "known": _known(cell, context, model)}


def _model(cell: Cell, context: Context) -> Representation:
    base = context.base(cell.data)
    return representation_for(cell.representation, base, modality_of(cell.data), preset=context.preset)


def _short_fits(cell: Cell, context: Context, start: str) -> list[dict]:
    """The quality of validation fits after each number of steps; after 0, that of their starts."""
    signals = signals_of(cell.data).where(split="validation")[:FITTED]
    rows = []
    for steps in STEPS:
        if steps:
            asked = {"start": start, "steps": steps, "preset": context.preset, "device": context.device}
            quality = fit(signals, cell.representation, context.base(cell.data), **asked).quality
        else:
            quality = _start_quality(cell, context, signals, start)
        rows.append({"start": start, "steps": steps, **spread("quality", quality)})
    return rows


def _start_quality(cell: Cell, context: Context, signals: Signals, start: str):
    model = _model(cell, context)
    problem = make_problem(signals, context.settings(cell.data).resolution)
    weights = Start().of(model).expand(len(signals), -1)
    if start == "encoded":
        weights = encoder_for(model).starts(problem.targets, weights[0]).weights
    return problem.evaluator.quality(model, weights)


def _learnt(
    cell: Cell, context: Context, signals: Signals, model: Representation, start: str
) -> tuple[dict, list[dict]]:
    """The row of the preset's full fits, or of encoded fits with the encoder's steps, and what was read of the
    attributes."""
    asked = FitSettings(start=Start.named(start), preset=context.preset)
    validation = signals.where(split="validation")
    name = f"encoded-starts-{cell.key}-{start}"
    zoo = fitted_in_cache(name, model, signals, asked, 0, cell, context)
    again = fitted_in_cache(name, model, validation[:PAIRS], asked, 1, cell, context)
    about, read = measured(zoo, again, COUNTS)
    row = {"start": start, "steps": zoo.meta["steps"], **about, **_barrier(zoo, again, validation)}
    row |= {"seconds a fit": float(zoo.index["seconds"].mean()), "fits": len(zoo)}
    for made in (zoo, again):
        shutil.rmtree(made.path)
    return row, read.to_dict("records")


def _barrier(zoo: Zoo, again: Zoo, validation: Signals) -> dict[str, float]:
    """The barrier between the two fits of one target: the mean quality of both minus that of the midpoint."""
    _, _, ids = fits_of(zoo, again)
    model, seeds = zoo.representation, (zoo.meta["init_seed"], again.meta["init_seed"])
    starts = tuple(replace(Start(), sigma=SIGMA, init_seed=seed).of(model) for seed in seeds)
    pair = Pair(model, ids, zoo.weights(ids), again.weights(ids), starts, model.initial_mean("centered"))
    problem = make_problem(validation.select(ids), zoo.resolution)
    return spread("barrier", connect(pair, problem.evaluator, (0.0, 0.5, 1.0)).drop)


@torch.no_grad()
def _known(cell: Cell, context: Context, model: Representation) -> list[dict]:
    """The share of instances that the encoder knows, by data set."""
    encoder, plain, rows = encoder_for(model), Start().of(model), []
    for data in (cell.data, *OTHERS.get(base_data(cell.data), ())):
        context.prepare(data)
        signals = load_signals(data).where(split="validation")
        fresh = signals[UNSEEN:] if data == cell.data else signals
        judged = (fresh if len(fresh) >= LEAST else signals)[:JUDGED]
        modality = judged.modality
        known = [
            encoder.starts(modality.targets(modality.samples(judged[i : i + 1])), plain).encoded.item()
            for i in range(len(judged))
        ]
        share = sum(known) / len(known)
        rows.append({"of": slug(data), "known": share, "instances": len(known), "fresh": len(fresh) >= LEAST})
    return rows


def settings(cell: Cell, context: Context) -> dict:
    others = OTHERS.get(base_data(cell.data), ())
    about = {"steps": STEPS, "fitted": FITTED, "pairs": PAIRS, "counts": COUNTS, "judged": JUDGED, "others": others}
    about |= {"encoder": encoder_config(cell.representation, modality_of(cell.data), context.preset)}
    return fitted(cell, context) | about


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows, known, attributes = (
        [{"data set": slug(cell.data), **one} for cell, value in found for one in value[part]]
        for part in ("rows", "known", "attributes")
    )
    about = {"preset": context.preset, "fits": FITTED, "pairs": PAIRS, "known": known, "attributes": attributes}
    write_tables([path for path in paths if path.suffix == ".json"], rows, **about)
    write_tables([path for path in paths if path.suffix == ".md"], rows, known)  # both tables, one below the other


def cells(context: Context) -> list[dict]:
    """One for each base that an encoder is trained for."""
    return [{"data": one, "representation": registry.DEFAULT} for one in bases_of(context.data(EXPERIMENT))]


EXPERIMENT = Experiment(
    name="encoded_starts",
    title="`reports/encoded-starts.*`: quality after few steps from encoded and plain starts, what an encoder knows, "
    "and how learnable the weights are",
    data=("emoji", "shapes10", "faces"),
    grid=cells,
    signals=signals_of,
    settings=settings,
    needs=("bases/{base}.safetensors", "encoders/{base}-{representation}.safetensors"),
    run=run,
    report=report,
    held=lambda report, cell, context: any(row["data set"] == slug(cell.data) for row in report["rows"]),
    reports=("reports/encoded-starts{tag}.json", "reports/encoded-starts{tag}.md"),
    by_hand=True,
    place=25,
    size="10 kB",
    time="15 to 30 min a data set (estimated)",
)
