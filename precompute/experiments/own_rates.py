"""Table 1 with every representation at its own best settings, and with κ as the paper writes it.

`learning_rates` takes for all six the lowest rate within a margin of the best, which costs some of them more than
others. Here each one has the best settings of its own search on validation signals, the same for all: first the grid of
`learning_rates`, and then the neighbours of the best setting so far, which differ from it by one step of the learning
rate, of A's rate or of the momenta, until all of them have been tried. The frozen entries of masks are drawn with a
standard deviation of κ = 6, as everywhere else, and of √6, as N(0, κI) says literally; where they are frozen at 0 both
are the same. Qualities are of the signals that `table1` judges. Each has several draws of all that is random (the
start, the mask, the points, and for MLPs the instance from whose fit all others start), since these move a mean more
than other instances would.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from precompute.claims.claim import KAPPA
from precompute.climbing import beside, next_setting
from precompute.draws import LITERAL, Fitted, drawn_model, fits_from
from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments.learning_rates import A_RATES, rates_of
from precompute.experiments.table1 import ORDER
from precompute.final import final_signals
from precompute.fits import base_needed, fitted
from precompute.records import keep, kept
from precompute.selection import modality_of, quality_of, shipped_signals, zoo_signals
from precompute.tables import write_tables
from wsr.data import Signals, load_signals
from wsr.data.registry import slug
from wsr.data.splits import TRAIN, VALIDATION
from wsr.fields import masks, registry
from wsr.fields.representation import Representation
from wsr.fitting.settings import Start
from wsr.presets import FitConfig
from wsr.stats import crossed
from wsr.zoo.recipe import FIRST

INSTANCES = 12  # of the validation split
DRAWS = 5
SETTINGS = 40  # at most, that a search tries
A_LADDER = tuple(3.0**power for power in range(-3, 4))
BETAS = ((0.9, 0.999), (0.8, 0.95), (0.7, 0.85), (0.6, 0.7), (0.45, 0.5), (0.3, 0.3), (0.0, 0.1))


@dataclass(frozen=True)
class Fits:
    """Fits of one draw of a representation, which start as those of its zoos do. model: with the draw's mask. first:
    the instance from whose fit all others start; None if they have the representation's own start. seed: of the start
    and the points."""

    model: Representation
    first: Signals | None
    seed: int
    resolution: int
    device: str

    @classmethod
    def draw(cls, number: int, cell: Cell, context: Context) -> "Fits":
        """The fits of a cell's draw with this number, from 0. All draws differ in start, mask and points."""
        model, first = drawn_model(number, cell, context, cell["kappa"]), first_of(cell, number)
        return cls(model, first, number, context.settings(cell.data).resolution, context.device)

    def qualities(self, signals: Signals, config: FitConfig) -> dict[str, float]:
        """The quality of each signal's fit, by id, as stored in a zoo."""
        start = Start(init_seed=self.seed).of(self.model)
        if self.first is not None:
            start = self._fitted(self.first, config, start).weights[0]
        return dict(zip(signals.ids, self._fitted(signals, config, start).quality, strict=True))

    def _fitted(self, signals: Signals, config: FitConfig, start: Float[Tensor, "p"]) -> Fitted:
        about = {"seed": self.seed, "resolution": self.resolution, "device": self.device}
        return fits_from(start, self.model, signals, config, stored_as=torch.float16, **about)


@dataclass(frozen=True)
class Setting:
    """What is searched: the learning rate, A's rate divided by B's, and Adam's betas."""

    lr: float
    a_rate: float
    betas: tuple[float, float]

    def neighbours(self, two_rates: bool) -> Iterator["Setting"]:
        """Yields the settings that differ from this one by one step. two_rates: whether A has a rate of its own."""
        yield from (replace(self, lr=lr) for lr in (self.lr * 2, self.lr / 2))
        if two_rates:
            yield from (replace(self, a_rate=rate) for rate in beside(A_LADDER, self.a_rate))
        yield from (replace(self, betas=betas) for betas in beside(BETAS, self.betas))

    def of(self, usual: FitConfig) -> FitConfig:
        """Returns these settings, and else the usual ones."""
        return replace(usual, **asdict(self))


@dataclass
class Search:
    """The search of one representation for its best settings. known: the mean quality at each setting so far; -inf if
    it is not finite."""

    grid: Sequence[Setting]
    two_rates: bool
    known: dict[Setting, float] = field(default_factory=dict)

    @property
    def best(self) -> Setting:
        return max(self.known, key=self.known.__getitem__)

    def next(self) -> Setting | None:
        """The setting to be tried next; None if all neighbours of the best one have been tried, or too many."""
        return next_setting(self.known, self.grid, partial(Setting.neighbours, two_rates=self.two_rates), SETTINGS, max)


def run(cell: Cell, context: Context) -> dict:
    """The search of one representation, and by draw the qualities of the final signals at its best settings."""
    found = kept(cell) or {"attempts": [], "quality": []}
    usual = context.settings(cell.data).fit.of(cell.representation)
    best = searched(cell, context, usual, found)
    wanted = final_signals(EXPERIMENT, shipped_signals(cell.data) or zoo_signals(cell.data))
    for number in range(len(found["quality"]), DRAWS):
        found["quality"].append(Fits.draw(number, cell, context).qualities(wanted, best.of(usual)))
        keep(cell, found)
    chosen = next(one for one in found["attempts"] if _setting(one) == best)
    return found | {"chosen": chosen}


def searched(cell: Cell, context: Context, usual: FitConfig, found: dict) -> Setting:
    """The best setting on validation signals. found: holds the attempts of a killed run, and gets all others."""
    two_rates = registry.named(cell.representation).two_rates
    grid = [Setting(lr, a_rate, tuple(usual.betas)) for lr in rates_of(cell.data, context)
            for a_rate in (A_RATES if two_rates else (1.0,))]  # fmt: skip
    known = {_setting(one): -math.inf if one["quality"] is None else one["quality"] for one in found["attempts"]}
    search, fits, signals = Search(grid, two_rates, known), Fits.draw(0, cell, context), validation(cell.data)
    while (setting := search.next()) is not None:
        mean = float(np.mean(list(fits.qualities(signals, setting.of(usual)).values())))
        known[setting] = mean if math.isfinite(mean) else -math.inf
        found["attempts"].append(asdict(setting) | {"quality": mean if math.isfinite(mean) else None})
        keep(cell, found)
    return search.best


def _setting(attempt: dict) -> Setting:
    return Setting(attempt["lr"], attempt["a_rate"], tuple(attempt["betas"]))


def first_of(cell: Cell, number: int) -> Signals | None:
    """The instance from whose fit all others of a draw start; None for representations whose fits do not."""
    init = registry.named(cell.representation).zoo_inits.get(modality_of(cell.data).name)
    return zoo_signals(cell.data).where(split=TRAIN)[number : number + 1] if init == FIRST else None


def validation(data: str) -> Signals:
    """The signals by which settings are chosen, spread over the classes: of the validation split, or of the training
    split of folders, which have no other that is not judged."""
    whole = load_signals(data)
    signals = whole.where(split=VALIDATION if VALIDATION in whole.splits else TRAIN)
    return signals.select([signals.ids[i] for i in np.linspace(0, len(signals) - 1, INSTANCES).round().astype(int)])


def report(found: Found, paths: list[Path], context: Context) -> None:
    """Writes the table. Its orders are of frozen entries as the paper writes them; those with κ = 6 stand beside."""
    data, rows = found[0][0].data, []
    measure = f"{slug(data)} {quality_of(data)}"
    for cell, value in found:
        own = {"representation": cell.representation, KAPPA: cell["kappa"], **value["chosen"]}
        own["validation"] = own.pop("quality")
        mean = crossed(table_of(value["quality"]).T)
        rows.append(own | {measure: mean.mean, f"{measure} ±": mean.half})
    orders = {kappa: in_order(_qualities(found, kappa), measure) for kappa in (LITERAL, masks.KAPPA)}
    about = {"preset": context.preset, "split": "heldout", KAPPA: LITERAL, "instances": INSTANCES, "draws": DRAWS}
    means = {cell.key: [float(np.mean(list(one.values()))) for one in value["quality"]] for cell, value in found}
    attempts = {cell.key: value["attempts"] for cell, value in found}
    about |= {"means of draws": means, "attempts": attempts, "order at 6": orders[masks.KAPPA]}
    write_tables(paths, rows, orders[LITERAL], **about)


def in_order(qualities: dict[str, list[dict[str, float]]], measure: str) -> list[dict]:
    """Returns a row for each statement of the paper, as `table1` does. qualities: by representation, of each draw."""
    rows = []
    for better, worse in (pair for pair in ORDER if set(pair) <= qualities.keys()):
        gain = crossed((table_of(qualities[better]) - table_of(qualities[worse])).dropna().T)
        row = {"measure": measure, "better": better, "worse": worse, "by": gain.mean, "±": gain.half}
        row |= {"instances": gain.count, "draws": DRAWS, "freedom": gain.freedom, "verdict": gain.verdict}
        rows.append(row)
    return rows


def table_of(draws: list[dict[str, float]]) -> pd.DataFrame:
    """Qualities by id (rows) and draw (columns), of those that are finite in every draw."""
    return pd.DataFrame(draws).T.replace([np.inf, -np.inf], np.nan).dropna()


def _qualities(found: Found, kappa: float) -> dict[str, list[dict[str, float]]]:
    """The qualities of all representations: of those with two readings of κ, by this one."""
    usual = {cell.representation: value["quality"] for cell, value in found if cell["kappa"] == masks.KAPPA}
    return usual | {cell.representation: value["quality"] for cell, value in found if cell["kappa"] == kappa}


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
    title="`reports/own-rates-*`: Table 1 with every representation at its own best settings, chosen on validation, in "
    "five draws of all that is random, and with κ read as a standard deviation and as a variance",
    data=("faces",),
    grid=grid,
    signals=validation,
    settings=lambda cell, context: (
        fitted(cell, context) | {"betas": BETAS, "rates of A": A_LADDER, "settings": SETTINGS, "draws": DRAWS}
    ),
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
    time="2 h",
)
