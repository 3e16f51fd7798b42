"""Tables 2, 3 and 5 without what makes our samples better: generators that know no classes, with the schedule of noise
of the paper, sampled without guidance and down to the last step, from three seeds of each representation.

Nothing is chosen by samples here. A network has what `unconditional_search` has found for it by the loss on weights
that were set aside, with the same budget for all. Training ends when the loss on unseen weights no longer falls.
Samples are compared with as many signals of the test split, which no fit and no choice has seen.

It is not the paper's experiment in all: at our widths a network cannot carry noise, so that it predicts clean weights;
and the paper does not say how many steps its noise has (ours has 500, after which 0.7 % of the variance is left). The
guided generators that the page shows are measured by `audits`.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments import unconditional_search
from precompute.experiments.audits import PAIR_POINTS, extractor_needed
from precompute.experiments.unconditional_search import plain
from precompute.final import final_signals
from precompute.generators import (
    SEEDS,
    STEPS,
    THREADS,
    best_trials,
    unconditional_search_report,
    with_trial,
)
from precompute.selection import has_surfaces, modality_of
from precompute.tables import write_tables
from wsr.analysis.evaluation import Decoded, decoded, set_metrics
from wsr.data import Signals, load_signals
from wsr.data.parts import rank
from wsr.generators.base import TrainSettings
from wsr.generators.diffusion import DiffusionConfig
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.generators.files import load_generator
from wsr.generators.jobs import SAMPLING_VERSION, train_generator
from wsr.identity import Identity
from wsr.metrics.registry import measured
from wsr.metrics.sets import pairwise_chamfer
from wsr.paths import cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo

PICTURES, SHAPES = 500, 250  # samples; a shape takes a third of a second, and its distances to others as long again


def grid(context: Context) -> list[dict]:
    """The generators of the search, each from SEEDS."""
    kinds = unconditional_search.kinds(context.data(EXPERIMENT))
    return [{**kind, "seed": seed} for kind in kinds for seed in SEEDS]


def config_of(cell: Cell, context: Context) -> DiffusionConfig:
    """The settings of a cell's training: those that its search has found."""
    config = plain(cell, context)
    found = best_trials(search_of(cell, context), config.encoder).get(cell.representation)
    return with_trial(config, found) if found else config


def search_of(cell: Cell, context: Context) -> Path:
    return context.path(unconditional_search_report(cell.data, context))


class References:
    """The signals of the test split, as many as there are samples, with which the samples of generators are compared.
    """

    def __init__(self, data: str, context: Context):
        self.modality = modality_of(data)
        self.extractor = self.modality.extractor().to(context.device)
        signals = final_signals(EXPERIMENT, load_signals(data))
        count = SHAPES if self.modality.has_surface else PICTURES
        self.known = self._read(signals.select(sorted(signals.ids, key=rank)[:count]))
        self.within = self._distances(self.known, self.known) if self.modality.has_surface else None

    def _read(self, signals: Signals) -> Decoded:
        found = [self.modality.measured([signal.read()], row) for row, signal in enumerate(signals)]
        features = [self.extractor(np.asarray(one.items)) for one in found]  # one by one: pictures differ in size
        clouds = np.concatenate([one.clouds for one in found]) if self.modality.has_surface else None
        return Decoded(np.concatenate(features), clouds)

    def _distances(self, one: Decoded, other: Decoded) -> Float[np.ndarray, "n m"]:
        return pairwise_chamfer(one.clouds[:, :PAIR_POINTS], other.clouds[:, :PAIR_POINTS])

    def compared(self, weights: Float[Tensor, "n p"], zoo: Zoo, device: str) -> dict[str, float]:
        """Every metric of samples of a zoo's generator, in the unit of its heading."""
        made = decoded(zoo.representation.to(device), weights, self.extractor, self.modality.resolutions.judged)
        at_hand: dict[str, tuple] = {"features": (made.features, self.known.features)}
        if self.modality.has_surface:
            at_hand["distances"] = self._distances(made, made), self._distances(made, self.known), self.within
        found = measured(at_hand)
        headed = {one.heading: one.in_unit(found[one.symbol]) for one in set_metrics() if one.symbol in found}
        return {"count": len(made), "empty": made.empty, **headed}


def trained(zoo: Zoo, cell: Cell, context: Context) -> Path:
    """The file of a cell's generator, in the cache. It is trained if it is not there; a killed training continues."""
    asked = TrainSettings(config=config_of(cell, context), seed=cell["seed"])
    short = Identity.of("unconditional", VERSION, config=asked.config, seed=asked.seed).short
    path = cache_dir() / "training" / f"unconditional-{zoo.path.name}-{short}.safetensors"
    if not path.exists():
        with bar(str(cell)) as update:
            for record in train_generator("diffusion", zoo, path, asked):
                update(record.step, record.steps, f"validation loss {record.validation or 0:.4f}")
    return path


def run(cell: Cell, context: Context) -> dict:
    zoo = context.open_zoo(cell)
    known = context.shared(("signals of the test", cell.data), lambda: References(cell.data, context))
    model = load_generator(trained(zoo, cell, context)).to(context.device)
    samples = model.sample(len(known.known), steps=STEPS, seed=cell["seed"])
    row = known.compared(samples, zoo, context.device)
    losses, best = dict(model.about["evaluations"]), model.about.get("best", model.about["steps"])
    return row | {"steps": best, "validation loss": losses.get(best)}


def settings(cell: Cell, context: Context) -> dict:
    count = SHAPES if has_surfaces(cell.data) else PICTURES
    sampling = {"sampling": SAMPLING_VERSION, "steps": STEPS, "pair_points": PAIR_POINTS, "samples": count}
    return {"config": config_of(cell, context), "training": VERSION} | sampling


def parameters(cell: Cell, context: Context) -> int:
    """How many parameters a cell's network has."""
    network = training_of(context.open_zoo(cell), config_of(cell, context)).model.network
    return sum(one.numel() for one in network.parameters())


def report(found: Found, paths: list[Path], context: Context) -> None:
    modality = modality_of(found[0][0].data)
    kinds = {(cell.representation, cell["encoder"]): cell for cell, _ in found}  # seeds have networks of one size
    sizes = {kind: parameters(cell, context) for kind, cell in kinds.items()}
    rows = []
    for cell, row in found:
        axes = {axis: cell[axis] for axis in ("representation", "encoder", "seed")}
        rows.append(axes | {"parameters": sizes[cell.representation, cell["encoder"]]} | row)
    about = {"preset": context.preset, "extractor": modality.extractor().name}
    write_tables(paths, rows, resolution=modality.resolutions.judged, **about)


EXPERIMENT = Experiment(
    name="unconditional",
    title="`reports/unconditional-*`: Tables 2, 3 and 5 without classes or guidance, from three seeds",
    data=("shapes10", "faces"),
    grid=grid,
    settings=settings,
    needs=lambda cell, context: ["zoos/{zoo}", *extractor_needed(cell.data)],
    after=lambda cell, context: [unconditional_search_report(cell.data, context)],
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
    time="12 to 23 min a cell, beside other work",
)
