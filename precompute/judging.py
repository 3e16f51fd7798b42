"""Short trainings and a quick evaluation of the samples, for experiments that compare settings of generators."""

import time
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.generators import THREADS, search_report, searched, seconds_of, with_trial
from precompute.tables import write_tables
from wsr.analysis.evaluation import decoded
from wsr.analysis.novelty import Audit, audit_of
from wsr.generators.diffusion import DiffusionConfig, Training, diffusion_preset
from wsr.generators.diffusion.training import VERSION
from wsr.metrics import needing
from wsr.progress import bar
from wsr.zoo import Zoo

COUNT, STEPS = 160, 50  # samples of each setting, and steps of DDIM


def train(training: Training, limit: float, title: str) -> float:
    """Trains until the training ends by itself, or for `limit` seconds of this process's CPU time, which other
    processes do not change. Returns the CPU seconds that it took."""
    begun = time.process_time()
    with bar(title) as update:
        for record in training.run(monitor_every=0):
            update(record.step, record.steps, f"validation loss {record.validation or 0:.4f}")
            if time.process_time() - begun > limit:
                break
    return time.process_time() - begun


class Judge:
    """Computes every feature metric of samples against fits of a zoo, and the shares of replicas, blends and novel
    samples. Settings that are chosen by these results are selected on the held-out fits, which the README states beside
    the tables.

    fits: ids of the fits that samples are compared with; by default all held-out ones. device: where they are decoded.
    """

    def __init__(self, zoo: Zoo, fits: list[str] | None = None, device: str = "cpu"):
        self.zoo, self.model, self.device = zoo, zoo.representation.to(device), device
        self.resolution, self.extractor = zoo.modality.resolutions.judged, zoo.modality.extractor().to(device)
        self.fits = zoo.weights(zoo.good("heldout")["id"].tolist() if fits is None else fits)
        self._known = self._features(self.fits)

    @cached_property
    def audit(self) -> Audit:
        return audit_of(self.zoo, device=self.device)[0]

    def __call__(self, weights: Float[Tensor, "n p"]) -> dict[str, float]:
        weights = weights.cpu()
        found, words = self.distances(weights), [verdict.word for verdict in self.audit.judge(weights)]
        return found | {word: words.count(word) / len(words) for word in ("replica", "blend", "novel")}

    def distances(self, weights: Float[Tensor, "n p"]) -> dict[str, float]:
        """Computes the feature metrics alone."""
        features = self._features(weights)
        return {one.heading: one.in_unit(one.function(features, self._known)) for one in needing("features")}

    def _features(self, weights: Float[Tensor, "n p"]):
        return decoded(self.model, weights.to(torch.float32), self.extractor, self.resolution).features


def judge(name: str, context: Context) -> Judge:
    """The judge of a zoo's samples, shared by the cells of a run."""
    return context.shared(("judge", name), lambda: Judge(Zoo.open(name), device=context.device))


def searched_settings(cell: Cell, context: Context) -> DiffusionConfig | None:
    """The preset's settings of a generator with the network that the search found; None before that search."""
    found = searched(cell.data, context).get(cell.representation)
    return with_trial(diffusion_preset(context.preset, cell.representation), found) if found else None


def training_settings(cell: Cell, context: Context) -> dict:
    """All settings that the results of `train` and of a judge depend on. The zoo is not among them."""
    about = {"config": searched_settings(cell, context), "training": VERSION}
    return about | {"seconds": seconds_of(cell.data), "samples": COUNT, "steps": STEPS}


def _report(found: Found, paths: list[Path], context: Context) -> None:
    first = found[0][0]
    about = {"zoo": context.zoo(first.data, first.representation), "seconds": seconds_of(first.data), "samples": COUNT}
    write_tables(paths, [row for _, rows in found for row in rows], **about)


def ablation(name: str, *axes: str, **declared: Any) -> Experiment:
    """Declares an experiment that trains a generator for each value of an axis, or of several, and judges its samples:
    `reports/<name>` has a row for each, with the values under the names of the axes. declared: further arguments, in
    place of the usual ones."""
    usual = {
        "settings": training_settings,
        "needs": ("zoos/{zoo}",),
        "after": lambda cell, context: [search_report(cell.data, context)],
    }
    return Experiment(
        name=name,
        report=_report,
        held=lambda report, cell, context: any(all(row[axis] == cell[axis] for axis in axes) for row in report["rows"]),
        reports=(f"reports/{name}{{tag}}.json", f"reports/{name}{{tag}}.md"),
        threads=THREADS,
        **usual | declared,
    )
