"""Tables 2, 3 and 5 as the paper makes them: generators that know no classes, sampled without guidance and down to the
last step, of all six representations and from three seeds.

Nothing was chosen by samples here. A network has the rate, width, depth and tokens that `diffusion_search` has found
for its representation, by the loss on weights that were set aside; the one without the layer encoder (table 5) has a
search of its own of as many trials (`flat_search`). It trains until its loss on unseen weights no longer falls. As many
samples as the zoo has fits for final tables are compared with those fits. The guided generators that the page shows are
measured by `audits`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments.audits import PAIR_POINTS, extractor_needed
from precompute.experiments.flat_search import WITHOUT_ENCODER
from precompute.final import final_fits
from precompute.generators import (
    SEEDS,
    STEPS,
    THREADS,
    best_trials,
    flat_search_report,
    search_report,
    with_trial,
)
from precompute.large_generators import SECONDS, trained
from precompute.selection import has_surfaces, modality_of
from precompute.tables import write_tables
from wsr.analysis.evaluation import Decoded, decoded, set_metrics
from wsr.fields import registry
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.training import VERSION
from wsr.generators.files import load_generator
from wsr.generators.jobs import SAMPLING_VERSION
from wsr.metrics.registry import measured
from wsr.metrics.sets import pairwise_chamfer
from wsr.zoo import Zoo


def grid(context: Context) -> list[dict]:
    """All six with the layer encoder and, for shapes, one without; the first seeds come first."""
    kinds = [{"representation": name, "encoder": True} for name in reversed(registry.names())]
    flat = [{"representation": WITHOUT_ENCODER, "encoder": False}]
    return [
        {"data": data, "seed": seed, **kind}
        for seed in SEEDS
        for data in context.data(EXPERIMENT)
        for kind in (kinds + flat if has_surfaces(data) else kinds)
    ]


def search_of(cell: Cell, context: Context) -> str:
    """The path of the report of the search for a cell's network."""
    return (search_report if cell["encoder"] else flat_search_report)(cell.data, context)


def config_of(cell: Cell, context: Context) -> DiffusionConfig:
    """The settings of a cell's training: those found by its search, or the preset's before that; without classes, and
    with nothing that samplers were given because it makes samples better."""
    config = diffusion_preset(context.preset, cell.representation, modality_of(cell.data))
    found = best_trials(context.path(search_of(cell, context))).get(cell.representation)
    config = with_trial(config, found) if found else config
    encoder = config.encoder and cell["encoder"]
    return replace(config, encoder=encoder, conditional=False, clusters=0, guidance=1.0, final_noise=0.0)


class Fits:
    """What the samples of a zoo's generators are compared with: its fits for final tables, decoded once."""

    def __init__(self, zoo: Zoo, context: Context):
        rows = final_fits(EXPERIMENT, zoo)
        self.zoo = zoo.to(context.device)
        self.extractor = zoo.modality.extractor().to(context.device)
        self.known = self.decoded(zoo.weights(rows[rows["status"] == "ok"]["id"].tolist()))
        self.within = self.distances(self.known, self.known)

    def decoded(self, weights: Float[np.ndarray, "n p"]) -> Decoded:
        return decoded(self.zoo.representation, weights, self.extractor, self.zoo.modality.resolutions.judged)

    def distances(self, one: Decoded, other: Decoded) -> Float[np.ndarray, "n m"] | None:
        if one.clouds is None or other.clouds is None:
            return None
        return pairwise_chamfer(one.clouds[:, :PAIR_POINTS], other.clouds[:, :PAIR_POINTS])

    def compared(self, weights: Float[np.ndarray, "n p"]) -> dict[str, float]:
        """Every metric of samples against the fits, in the unit of its heading."""
        made = self.decoded(weights)
        at_hand: dict[str, tuple] = {"features": (made.features, self.known.features)}
        if made.clouds is not None:
            at_hand["distances"] = self.distances(made, made), self.distances(made, self.known), self.within
        found = measured(at_hand)
        headed = {one.heading: one.in_unit(found[one.symbol]) for one in set_metrics() if one.symbol in found}
        return {"count": len(self.known), "empty": made.empty, **headed}


def run(cell: Cell, context: Context) -> dict:
    zoo = context.open_zoo(cell)
    fits = context.shared(("fits of final tables", zoo.path), lambda: Fits(zoo, context))
    path = trained(zoo, config_of(cell, context), len(zoo.good("train")), cell["seed"], str(cell))
    model = load_generator(path).to(context.device)
    row = fits.compared(model.sample(len(fits.known), steps=STEPS, seed=cell["seed"]))
    losses, best = dict(model.about["evaluations"]), model.about.get("best", model.about["steps"])
    return row | {"steps": best, "validation loss": losses.get(best), "seconds": model.about["cpu_seconds"]}


def settings(cell: Cell, context: Context) -> dict:
    sampling = {"sampling": SAMPLING_VERSION, "steps": STEPS, "pair_points": PAIR_POINTS}
    return {"config": config_of(cell, context), "training": VERSION, "seconds": SECONDS} | sampling


def report(found: Found, paths: list[Path], context: Context) -> None:
    data = found[0][0].data
    rows = [{axis: cell[axis] for axis in ("representation", "encoder", "seed")} | row for cell, row in found]
    modality = modality_of(data)
    about = {"preset": context.preset, "extractor": modality.extractor().name, "split": split_of(found, context)}
    write_tables(paths, rows, resolution=modality.resolutions.judged, sampling_steps=STEPS, **about)


def split_of(found: Found, context: Context) -> str:
    """The name of the split whose fits samples are compared with."""
    return final_fits(EXPERIMENT, context.open_zoo(found[0][0]))["split"].iloc[0]


EXPERIMENT = Experiment(
    name="unconditional",
    title="`reports/unconditional-*`: Tables 2, 3 and 5 without classes or guidance, the six from three seeds",
    data=("shapes10", "faces"),
    grid=grid,
    settings=settings,
    needs=lambda cell, context: ["zoos/{zoo}", *extractor_needed(cell.data)],
    after=lambda cell, context: [search_of(cell, context)],
    run=run,
    report=report,
    report_by=("data",),
    held=lambda report, cell, context: any(
        all(row[axis] == cell[axis] for axis in ("representation", "encoder", "seed")) for row in report["rows"]
    ),
    reports=("reports/unconditional-{data}.json", "reports/unconditional-{data}.md"),
    final=True,
    threads=THREADS,
    place=15,
    size="10 kB a data set",
    time="6 min a cell",
)
