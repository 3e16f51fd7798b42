"""Table 1 with every representation at its own best learning rate, and with κ as the paper writes it.

`learning_rates` takes for all six the lowest rate within a margin of the best, which costs some of them more than
others. Here each one has the best settings of its own search, the same for all: on validation signals, first the grid
of `learning_rates`, which is widened as long as the best rate is at its end, and then other momenta at the best rate.
The frozen entries of masks are drawn with a standard deviation of κ = 6, as everywhere else, and of √6, as N(0, κI)
says literally; where they are frozen at 0 both are the same. Fits start as those of zoos do, and qualities are of the
signals that `table1` judges.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.claims.claim import KAPPA
from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments.learning_rates import A_RATES, rates_of
from precompute.experiments.table1 import in_order, intervals
from precompute.final import final_signals
from precompute.fits import base_needed, fitted
from precompute.selection import modality_of, quality_of, shipped_signals, zoo_signals
from precompute.tables import write_tables
from wsr.data import Signals, load_signals
from wsr.data.registry import slug
from wsr.data.splits import TRAIN, VALIDATION
from wsr.fields import masks, registry
from wsr.fields.representation import Representation
from wsr.fitting.fit import representation_for
from wsr.fitting.loop import FitResult, run_fit
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import Start
from wsr.presets import FitConfig
from wsr.zoo.recipe import FIRST

INSTANCES = 12  # of the validation split
WIDENED = 3  # times at most, by one more rate
BETAS = ((0.9, 0.999), (0.8, 0.95))  # beside those of the preset
BATCH = 8
LITERAL = math.sqrt(masks.KAPPA)  # the standard deviation of N(0, κI)


@dataclass(frozen=True)
class Fits:
    """Fits of a representation, which start as those of its zoos do. first: the instance from whose fit all others
    start; None if they have the representation's own start."""

    model: Representation
    first: Signals | None
    resolution: int
    device: str

    def qualities(self, signals: Signals, config: FitConfig) -> dict[str, float]:
        """The quality of each signal's fit, by id, as stored in a zoo."""
        start, found = self._start(config), {}
        for begun in range(0, len(signals), BATCH):
            items = signals[begun : begun + BATCH]
            found |= dict(zip(items.ids, map(float, self._fitted(items, config, start).quality), strict=True))
        return found

    def _start(self, config: FitConfig) -> Float[Tensor, "p"]:
        own = Start().of(self.model)
        return own if self.first is None else self._fitted(self.first, config, own).weights[0]

    def _fitted(self, items: Signals, config: FitConfig, start: Float[Tensor, "p"]) -> FitResult:
        problem = make_problem(items, self.resolution, 0, self.device)
        (record,) = run_fit(problem, self.model, start, config, self.resolution, 0, torch.float16)
        return record.result


@dataclass
class Search:
    """The search of one representation for its best settings. Each attempt is a learning rate, A's rate divided by
    B's, Adam's betas, and the mean quality of the signals."""

    fits: Fits
    usual: FitConfig
    signals: Signals
    attempts: list[dict] = field(default_factory=list)

    def attempt(self, lr: float, a_rate: float, betas: Sequence[float]) -> None:
        made = {"lr": lr, "a_rate": a_rate, "betas": list(betas)}
        mean = float(np.mean(list(self.fits.qualities(self.signals, self.config(made)).values())))
        self.attempts.append(made | {"quality": mean if math.isfinite(mean) else None})

    def config(self, attempt: dict) -> FitConfig:
        """The settings of an attempt."""
        return replace(self.usual, lr=attempt["lr"], a_rate=attempt["a_rate"], betas=tuple(attempt["betas"]))

    @property
    def best(self) -> dict:
        return max(self.attempts, key=lambda one: -math.inf if one["quality"] is None else one["quality"])

    def run(self, rates: Sequence[float], a_rates: Sequence[float]) -> None:
        tried = sorted(rates)
        for lr in tried:
            for a_rate in a_rates:
                self.attempt(lr, a_rate, self.usual.betas)
        for _ in range(WIDENED):
            if self.best["lr"] not in (tried[0], tried[-1]):
                break
            further = tried[-1] * 2 if self.best["lr"] == tried[-1] else tried[0] / 2
            tried = sorted([*tried, further])
            for a_rate in a_rates:
                self.attempt(further, a_rate, self.usual.betas)
        best = self.best
        for betas in BETAS:
            self.attempt(best["lr"], best["a_rate"], betas)


def run(cell: Cell, context: Context) -> dict:
    """The search of one representation, and the qualities of the final signals at its best settings."""
    settings, modality = context.settings(cell.data), modality_of(cell.data)
    base = context.base(cell.data) if registry.named(cell.representation).needs_base else None
    model = representation_for(cell.representation, base, modality, preset=context.preset)
    fits = Fits(model.with_kappa(cell["kappa"]), first_of(cell), settings.resolution, context.device)
    search = Search(fits, settings.fit.of(cell.representation), validation(cell.data))
    search.run(rates_of(cell.data, context), A_RATES if registry.named(cell.representation).two_rates else (1.0,))
    wanted = shipped_signals(cell.data) or zoo_signals(cell.data)
    found = fits.qualities(final_signals(EXPERIMENT, wanted), search.config(search.best))
    return {"chosen": search.best, "attempts": search.attempts, "quality": found}


def first_of(cell: Cell) -> Signals | None:
    """The instance from whose fit all others of a zoo start; None for representations whose fits do not."""
    init = registry.named(cell.representation).zoo_inits.get(modality_of(cell.data).name)
    return zoo_signals(cell.data).where(split=TRAIN)[:1] if init == FIRST else None


def validation(data: str) -> Signals:
    """The signals by which settings are chosen, spread over the classes: of the validation split, or of the training
    split of folders, which have no other that is not judged."""
    whole = load_signals(data)
    signals = whole.where(split=VALIDATION if VALIDATION in whole.splits else TRAIN)
    return signals.select([signals.ids[i] for i in np.linspace(0, len(signals) - 1, INSTANCES).round().astype(int)])


def report(found: Found, paths: list[Path], context: Context) -> None:
    """Writes the table. Its orders are of frozen entries as the paper writes them; those with κ = 6 stand beside."""
    data, rows = found[0][0].data, []
    for cell, value in found:
        own = {"representation": cell.representation, KAPPA: cell["kappa"], **value["chosen"]}
        own["validation"] = own.pop("quality")
        rows.append(own | intervals(f"{slug(data)} {quality_of(data)}", value["quality"]))
    orders = {kappa: in_order(_quality(found, kappa), [data]) for kappa in (LITERAL, masks.KAPPA)}
    about = {"preset": context.preset, "split": "heldout", KAPPA: LITERAL, "instances": INSTANCES}
    about |= {"attempts": {cell.key: value["attempts"] for cell, value in found}, "order at 6": orders[masks.KAPPA]}
    write_tables(paths, rows, orders[LITERAL], **about)


def _quality(found: Found, kappa: float) -> dict[tuple[str, str], dict]:
    """The qualities of all representations, by data set and name: of those with two readings of κ, by this one."""
    usual = [(cell, value) for cell, value in found if cell["kappa"] == masks.KAPPA]
    asked = [(cell, value) for cell, value in found if cell["kappa"] == kappa]
    return {(cell.data, cell.representation): {"quality": value["quality"]} for cell, value in [*usual, *asked]}


def grid(context: Context) -> list[dict]:
    return [
        {"data": data, "representation": name, "kappa": kappa}
        for data in context.data(EXPERIMENT)
        for name in registry.names()
        for kappa in ((masks.KAPPA, LITERAL) if _loud(name) else (masks.KAPPA,))
    ]


def _holds(report: dict, cell: Cell, context: Context) -> bool:
    """Whether a report has the row of a cell."""
    own = [row[KAPPA] for row in report["rows"] if row["representation"] == cell.representation]
    return any(math.isclose(kappa, cell["kappa"], rel_tol=1e-6) for kappa in own)


def _loud(name: str) -> bool:
    """Whether a representation has frozen entries other than 0."""
    return bool(registry.named(name).twin) and not registry.named(name).centred


EXPERIMENT = Experiment(
    name="own_rates",
    title="`reports/own-rates-*`: Table 1 with every representation at its own best learning rate, chosen on "
    "validation, and with κ read as a standard deviation and as a variance",
    data=("faces",),
    grid=grid,
    signals=validation,
    settings=lambda cell, context: fitted(cell, context) | {"betas": BETAS, "widened": WIDENED},
    needs=base_needed,
    run=run,
    final=True,
    report=report,
    reports=tuple(f"reports/own-rates-{{data}}.{ending}" for ending in ("json", "md")),
    report_by=("data",),
    held=_holds,
    threads=1,
    place=8,
    size="0.1 MB",
    time="1 h",
)
