"""How sure a classifier of attributes is of generated instances, beside unseen fits.

The classifiers learn from what training fits decode to (`wsr.analysis.readings`). Of a sample that is a mixture of two
faces they are less sure than of a fit. The two sides are as many samples, without selection, and as many fits of the
final table. The mean difference over all categories is bootstrapped over both sides.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.final import final_fits
from precompute.tables import write_tables
from wsr.analysis.readings import Readings
from wsr.zoo import Zoo

DRAWS, LEVEL = 1000, 0.95


def run(cell: Cell, context: Context) -> list[dict]:
    of = context.large_zoo(cell.data, cell.representation)
    zoo, made = (Zoo.open(context.path(f"{folder}/{of}")) for folder in ("zoos", "samples"))
    fits = final_fits(EXPERIMENT, zoo)
    unseen = zoo.weights(fits["id"][fits["status"] == "ok"].tolist())
    readings = Readings(zoo)
    sides = [readings.certainty(weights) for weights in (unseen, made.weights()[: len(unseen)])]
    return [{"zoo": of, "count": len(unseen), **row} for row in compared(*sides)]


def compared(fits: pd.DataFrame, samples: pd.DataFrame) -> list[dict]:
    """Returns a row for each category, and one for their mean, whose difference has an interval. fits, samples: the
    certainty of each category of each weight."""
    rng, spread = np.random.default_rng(0), []
    means = [side.mean(axis=1).to_numpy() for side in (fits, samples)]
    for _ in range(DRAWS):
        one, other = (rng.choice(side, len(side)).mean() for side in means)
        spread.append(other - one)
    low, high = np.quantile(spread, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    rows = [_row(attribute, fits[attribute], samples[attribute]) for attribute in fits]
    return [*rows, _row("mean", *means) | {"low": float(low), "high": float(high)}]


def _row(attribute: str, fits: pd.Series | np.ndarray, samples: pd.Series | np.ndarray) -> dict:
    one, other = float(fits.mean()), float(samples.mean())
    return {"attribute": attribute, "unseen fits": one, "samples": other, "difference": other - one}


def report(found: Found, paths: list[Path], context: Context) -> None:
    write_tables(paths, [row for _, rows in found for row in rows], level=LEVEL)


EXPERIMENT = Experiment(
    name="certainty",
    title="`reports/certainty.*`: how sure a classifier of attributes is of samples, beside unseen fits",
    data=("faces",),
    grid={"representation": ("mlora-asym",)},
    settings=lambda cell, context: {"draws": DRAWS, "level": LEVEL},
    needs=("zoos/{large_zoo}", "samples/{large_zoo}"),
    run=run,
    report=report,
    reports=("reports/certainty{tag}.json", "reports/certainty{tag}.md"),
    final=True,
    threads=1,
    place=20,
    size="3 kB",
    time="2 min",
)
