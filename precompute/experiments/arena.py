"""The encoder arena: what encoders of weights read in six representations, of training fits they have not seen.

Each encoder learns the class, or of faces the hair, from the training fits and is judged on fits that it has not seen.
Nothing is chosen by what comes out. Trainings are short, so that those of a data set and a seed take a quarter of an
hour of one core: what the table says about an encoder it says about a training of this length. An encoder that does not
read weights of a representation has no score there, and the table says why.
"""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.final import final_fits
from precompute.tables import write_tables
from wsr import encoders
from wsr.analysis.attributes import CLASS
from wsr.encoders.settings import TrainingSettings
from wsr.encoders.targets import column_of
from wsr.fields import registry
from wsr.stats import mean_interval
from wsr.zoo import Zoo

SEEDS = (0, 1, 2)
COLUMNS = {"faces": "hair"}  # what is read, if it is not the class
SETTINGS = TrainingSettings()


def run(cell: Cell, context: Context) -> dict:
    """The share of right answers, in percent, or the sentence that says why the encoder does not apply."""
    return read(context.open_zoo(cell), cell)


def read(zoo: Zoo, cell: Cell) -> dict:
    """Trains the cell's encoder on a zoo and judges it."""
    kind = encoders.named(cell["encoder"])
    if refusal := kind.refusal(zoo.representation):
        return {"refusal": refusal}
    encoder = kind.fit(zoo, column(cell), replace(SETTINGS, seed=cell["seed"]))
    wanted = column_of(zoo, final_fits(EXPERIMENT, zoo)["split"].iloc[0], column(cell))
    right = encoder.predict(zoo.weights(wanted.index.tolist())) == wanted.astype(str).to_numpy()
    found = {"training fits": len(zoo.good("train")), "unseen fits": len(right)}
    found |= {"parameters": encoder.parameters, "cpu seconds": encoder.cpu_seconds, "right": right.tolist()}
    return found | {"accuracy": 100 * right.mean(), "training accuracy": 100 * encoder.score(zoo, "train")}


def column(cell: Cell) -> str:
    """What is read of a data set's instances."""
    return COLUMNS.get(cell.data, CLASS)


def report(found: Found, paths: list[Path], context: Context, **more: Any) -> None:
    """Writes the table. more: further values of the report."""
    settings = {name: value for name, value in asdict(SETTINGS).items() if name != "seed"}
    write_tables(paths, rows_of(found), preset=context.preset, column=column(found[0][0]), **settings, **more)


def rows_of(found: Found) -> list[dict]:
    """A row for each representation and encoder."""
    by_pair: dict[tuple[str, str], list[dict]] = {}
    for cell, value in found:
        by_pair.setdefault((cell.representation, cell["encoder"]), []).append(value)
    order = [(model, encoder) for model in registry.names() for encoder in encoders.names()]
    return [_row(*pair, by_pair[pair]) for pair in order if pair in by_pair]


def _row(representation: str, encoder: str, values: list[dict]) -> dict:
    """The mean over seeds. ±: of its interval by Student's t over the seeds, which is about the training alone; low and
    high: of Wilson's interval for the share of right answers among as many unseen fits."""
    row = {"representation": representation, "encoder": encoder}
    if "refusal" in values[0]:
        return row | {"why not": values[0]["refusal"]}
    return row | averaged(values)


def averaged(values: list[dict]) -> dict:
    """What the results of several seeds say together, with intervals as for a row."""
    row: dict = {"seeds": len(values)}
    row |= {name: float(np.mean([one[name] for one in values])) for name in values[0] if name != "right"}
    found = [one["accuracy"] for one in values]
    if len(found) > 1:  # there is no spread of linear encoders, which draw nothing
        row["±"] = mean_interval(found).half if np.ptp(found) else 0.0
    count = values[0]["unseen fits"]
    share = binomtest(round(row["accuracy"] / 100 * count), count).proportion_ci(method="wilson")
    return row | {"low": 100 * share.low, "high": 100 * share.high}


def _holds(rows: list[dict], cell: Cell) -> bool:
    """Whether rows of a report are about a cell. Rows say how many seeds they are of, the first ones; those of encoders
    that do not apply say nothing, because the seed makes no difference."""
    of = [row for row in rows if (row["representation"], row["encoder"]) == (cell.representation, cell["encoder"])]
    return any(row.get("why not") or cell["seed"] in SEEDS[: int(row["seeds"])] for row in of)


EXPERIMENT = Experiment(
    name="arena",
    title="`reports/arena-*`: what encoders of weights read in each representation: symmetries ignored, removed or "
    "respected",
    data=("shapes10", "faces", "emoji"),
    grid={"seed": lambda: SEEDS, "representation": registry.names, "encoder": encoders.names},
    settings=lambda cell, context: {"column": column(cell), **asdict(SETTINGS)},
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    reports=("reports/arena-{data}.json", "reports/arena-{data}.md"),
    report_by=("data",),
    held=lambda report, cell, context: _holds(report["rows"], cell),
    final=True,
    threads=1,
    place=9,
    size="20 kB a data set",
    time="15 min a data set and seed",
)
