"""The encoder arena on independent fits: each instance has a start of its own (`Zoo`'s `own_starts`).

Fits of one start keep the order of neurons comparable between instances, and a linear encoder reads them. Of fits
with independent starts an encoder has to know the symmetries, or the representation has to have none. Networks are
drawn as for any training from scratch; multiplicative adapters are drawn log-normal, since their usual starts lie
closely around one mean (`wide_starts`). What the encoders that know symmetries gain over the others is stated with its
interval: the best of either side is chosen on one half of the unseen fits and judged on the other, both ways round.
"""

from pathlib import Path

import numpy as np

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.experiments import arena
from precompute.experiments.wide_starts import SIGMAS
from precompute.fits import INIT_SEED, SIGMA, base_needed, fill, fitted
from precompute.selection import zoo_signals
from wsr import encoders
from wsr.data import Signals
from wsr.data.splits import HELDOUT, TRAIN
from wsr.fields import registry
from wsr.fitting.fit import representation_for
from wsr.paths import cache_dir
from wsr.stats import Difference, mean_interval
from wsr.zoo import Zoo

COUNTS = {TRAIN: 400, HELDOUT: 200}
REPRESENTATIONS = ("mlp", "mlora-asym")
# They take weights as a vector, in the order in which they are stored.
PLAIN = ("logistic", "flat-mlp", "transformer")


def signals_of(data: str) -> Signals:
    chosen = zoo_signals(data)
    return chosen.select([name for split, count in COUNTS.items() for name in chosen.where(split=split)[:count].ids])


def run(cell: Cell, context: Context) -> dict:
    """As for `arena`."""
    return arena.read(context.shared(("own starts", cell.data, cell.representation), lambda: _zoo(cell, context)), cell)


def _zoo(cell: Cell, context: Context) -> Zoo:
    """Fits the zoo, or goes on with it. It stays in the cache."""
    kind, signals = registry.named(cell.representation), signals_of(cell.data)
    base = context.base(cell.data) if kind.needs_base else None
    model = representation_for(kind.name, base, signals.modality, preset=context.preset)
    start = {"init": "lognormal", "sigma": SIGMAS[-1]} if kind.centred else {"init": "centered", "sigma": SIGMA}
    zoo = Zoo.create(
        cache_dir() / "training" / f"{context.zoo(cell.data, kind.name)}-own-starts", model, dataset=cell.data,
        preset=context.preset, steps=context.settings(cell.data).fit.steps, init_seed=INIT_SEED, own_starts=True,
        **start,
    )  # fmt: skip
    fill(zoo, signals, f"{cell} own starts", context)
    return zoo


def report(found: Found, paths: list[Path], context: Context) -> None:
    arena.report(found, paths, context, gains=gains(found))


def gains(found: Found) -> list[dict]:
    """By how many points the encoders that know symmetries read more than the others, for each representation."""
    rows = []
    for model in dict.fromkeys(cell.representation for cell, _ in found):
        right: dict[str, list] = {}
        for cell, value in found:
            if cell.representation == model and "right" in value:
                right.setdefault(cell["encoder"], []).append(value["right"])
        shares = {name: np.mean(values, axis=0) for name, values in right.items()}
        gain = gained(*({name: shares[name] for name in shares if (name in PLAIN) is plain} for plain in (False, True)))
        rows.append({"representation": model, "gain": gain.mean, "low": gain.low, "high": gain.high, "n": gain.count})
    return rows


def gained(ours: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> Difference:
    """Returns by how many points the best of `ours` is more often right than the best of `others`. Values: how often
    each of the unseen fits (n,) was read right, in [0, 1]. Every second fit chooses who is judged on the rest."""
    parts = []
    for first in (0, 1):
        better, worse = (_best(side, first)[1 - first :: 2] for side in (ours, others))
        parts.append(100 * (better - worse))
    return mean_interval(np.concatenate(parts))


def _best(side: dict[str, np.ndarray], first: int) -> np.ndarray:
    return max(side.values(), key=lambda share: share[first::2].mean())


EXPERIMENT = Experiment(
    name="arena_independent",
    title="`reports/arena-independent-*`: the same of fits each of which has a start of its own, and what encoders "
    "gain that know symmetries",
    data=("shapes10",),
    grid={"seed": lambda: arena.SEEDS, "encoder": encoders.names, "representation": lambda: REPRESENTATIONS},
    signals=signals_of,
    settings=lambda cell, context: {
        **arena.EXPERIMENT.settings(cell, context), **fitted(cell, context), "counts": COUNTS, "sigma": SIGMAS[-1]
    },
    needs=base_needed,
    run=run,
    report=report,
    reports=("reports/arena-independent-{data}.json", "reports/arena-independent-{data}.md"),
    report_by=("data",),
    held=arena.EXPERIMENT.held,
    final=True,
    threads=1,
    place=9,
    size="10 kB",
    time="1 h",
)
