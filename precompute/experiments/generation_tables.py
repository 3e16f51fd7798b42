"""Tables 2, 3 and 5: how good generated weights are, ours beside the paper's.

The tables combine the measurements of `audits` (reports/generation-<zoo>.json). Samples are compared with held-out
fits, which no model can have copied, and with training fits. For comparison there are the floor (held-out against
training fits) and the replica baseline (training weights with a little noise). Values are means over seeds, with
standard deviations if there are three seeds. Subsets of one seed's samples would say little about other seeds, and are
not used. Models that do not exist yet are left out.
"""

import json

import numpy as np
import pandas as pd

from precompute.experiment import Cell, Context, Experiment
from precompute.generators import DATASETS, LONGEST, SEEDS, Generator
from precompute.selection import has_surfaces
from precompute.tables import PAPER, write_tables
from wsr.analysis.evaluation import set_metrics
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.generators.registry import kinds
from wsr.metrics.registry import Metric
from wsr.stats import unpaired

SIDES = ("heldout", "train")
ORDER = (
    ("mlora-asym", "mlora"),
    ("mlora-asym", "mlp"),
    ("mlora", "mlp"),
)  # pairs (better, worse) in the paper's order, of models with three seeds
WITH, FLAT = "mlora-asym", "mlora-asym without the layer encoder"  # the two rows of Table 5


NUMBERS = {
    "faces": ("2",),
    "shapes10": ("3", "5"),
}  # the numbers of the paper's tables; other data sets have none


def tables(data: str, context: Context) -> list[str]:
    """The names of a data set's tables: one of all generators, and for shapes one of mLoRA-Asym with and without the
    layer encoder."""
    other = "" if data in NUMBERS and context.preset == "cpu" else f"-{context.named(data)}"
    return [f"table{number}{other}" for number in NUMBERS.get(data, ("-generation",))]


def run(cell: Cell, context: Context) -> None:
    found = frame(cell.data, context)
    if not len(found):
        raise WsrError("no generator of this data set has been measured: `python -m precompute run audits` does it.")
    paper = PAPER["table3_generation_shapenet"]["multi"]
    if not has_surfaces(cell.data):
        paper = PAPER["table2_generation_ffhq"]
    every, *encoder = tables(cell.data, context)
    write(every, rows(found, paper), order(found), cell, context)
    for name in encoder:
        table_5 = PAPER["table5_ablation_layer_encoder_shapenet10"]
        paper = {WITH: table_5["with"], FLAT: table_5["without"]}
        write(name, rows(found[found["name"].isin(list(paper))], paper), [], cell, context)


def write(name: str, table: list[dict], compared: list[dict], cell: Cell, context: Context) -> None:
    paths = [context.path(f"reports/{name}.{ending}") for ending in ("json", "csv", "md")]
    about = {"preset": context.preset, "training seconds": LONGEST}
    write_tables(paths, table, compared, **about)


def measured(data: str, context: Context) -> dict[str, str]:
    """The paths that `audits` writes to, by representation."""
    return {kind: f"reports/generation-{context.zoo(data, kind)}.json" for kind in registry.names()}


def frame(data: str, context: Context) -> pd.DataFrame:
    """All measured rows of a data set. The column `name` is that of `named_as`."""
    found = []
    for kind, asset in measured(data, context).items():
        path = context.path(asset)
        for row in json.loads(path.read_text())["rows"] if path.exists() else []:
            found.append(row | {"name": named_as(data, kind, row["model"], context)})
    return pd.DataFrame(found, columns=None if found else ["name", "set", "against", "model"])


def named_as(data: str, representation: str, model: str, context: Context) -> str:
    """The name of samples in the table: their representation, and the generator unless it is our diffusion model."""
    if model == Generator(data, representation, encoder=False).name(context):
        return FLAT
    zoo = context.zoo(data, representation)
    by = next((kind.title for kind in kinds() if kind.role != "own" and model == kind.stem(zoo)), None)
    return representation if by is None else f"{representation} by {by}"


def rows(found: pd.DataFrame, paper: dict) -> list[dict]:
    made = []
    for (name, what, against), part in found.groupby(["name", "set", "against"], sort=False):
        row = {"representation": name, "set": what, "against": against, "seeds": len(part)}
        for metric in set_metrics():
            if metric.symbol in part:
                std = part[metric.symbol].std(ddof=1) if len(part) > 1 else np.nan
                mean, head = part[metric.symbol].mean(), metric.heading
                row |= {head: metric.in_unit(mean), f"{head} sd": metric.in_unit(std)}
                if what == "samples" and against == "train":
                    row[f"paper {metric.symbol}"] = paper.get(name, {}).get(metric.name)
        made.append(row)
    return made


def order(found: pd.DataFrame) -> list[dict]:
    """Rows that say for each metric which of two models is better, for pairs of models with three seeds each."""
    made = []
    samples = found[found["set"] == "samples"]
    for better, worse in ORDER:
        for against in SIDES:
            for metric in set_metrics():
                pair = [_losses(samples, name, against, metric) for name in (better, worse)]
                if min(map(len, pair)) < len(SEEDS):
                    continue
                gain = unpaired(pair[1], pair[0])
                row = {"better": better, "worse": worse, "against": against, "measure": metric.heading}
                row |= {"by": metric.in_unit(gain.mean), "±": metric.in_unit(gain.half)}
                row |= _ratios(found, better, worse, against) if metric.name == "fd" else {}
                made.append(row | {"verdict": gain.verdict})
    return made


def _ratios(found: pd.DataFrame, better: str, worse: str, against: str) -> dict[str, float]:
    """The ratio of the FDs of the worse and the better model, before and after subtracting the floor. The floor is the
    FD that a perfect generator would have with as many samples."""
    part = found[found["against"] == against]
    of = part.groupby(["set", "name"])["FD"].mean()
    above = [of["samples", name] - of["floor", name] for name in (worse, better)]
    return {"ratio": of["samples", worse] / of["samples", better], "above the floor": above[0] / above[1]}


def _losses(samples: pd.DataFrame, name: str, against: str, metric: Metric) -> np.ndarray:
    """A metric of each seed's samples as a loss: smaller is better."""
    if metric.symbol not in samples:
        return np.zeros(0)
    part = samples[(samples["name"] == name) & (samples["against"] == against)][metric.symbol]
    return metric.loss(part.dropna().to_numpy())


def makes(cell: Cell, context: Context) -> list[str]:
    return [f"reports/{name}.{ending}" for name in tables(cell.data, context) for ending in ("json", "csv", "md")]


EXPERIMENT = Experiment(
    name="generation_tables",
    title="`reports/table2.*`, `3` and `5`: how good generated weights are, beside the paper's",
    data=DATASETS,
    uses=lambda cell, context: list(measured(cell.data, context).values()),
    makes=makes,
    run=run,
    gathers=True,
    place=16,
    size="20 kB each",
    time="1 s",
)
