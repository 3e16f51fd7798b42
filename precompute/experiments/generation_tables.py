"""Tables 2, 3 and 5: how good generated weights are, ours beside the paper's.

Put together from reports/generation-<zoo>.json, which `audits` measured: against held-out fits (which nobody
could copy) and against training fits, each beside its floor (held-out against training fits) and the replica baseline
(training weights with a little noise). Mean and standard deviation over seeds where there are three; of one seed there
is none, since subsets of its samples tell little of another seed. Models that are not there yet are left out.
"""

import json

import numpy as np
import pandas as pd

from precompute.experiment import Cell, Context, Experiment
from precompute.generators import DATASETS, SEEDS, Generator, seconds_of
from precompute.selection import has_surfaces
from precompute.tables import PAPER, write_tables
from wsr import representations
from wsr.analysis.evaluation import UNITS, shown_as
from wsr.errors import WsrError
from wsr.stats import unpaired

MEASURES = {"FD": "fd", "MMD-G": "mmd_g", "MMD-P": "mmd_p", "mMD": "mmd", "COV": "cov", "1-NNA": "1nna"}
SIDES = ("heldout", "train")
ORDER = (("mlora-asym", "mlora"), ("mlora-asym", "mlp"), ("mlora", "mlp"))  # those with three seeds
FLAT = "mlora-asym without the layer encoder"


NUMBERS = {"emoji/people": ("2",), "shapes10": ("3", "5")}  # of the paper's tables; those of others have no number


def tables(data: str, context: Context) -> list[str]:
    """The names of a data set's tables: of all generators, and of mLoRA-Asym with and without the layer encoder."""
    other = "" if data in NUMBERS and context.preset == "cpu" else f"-{context.named(data)}"
    return [f"table{number}{other}" for number in NUMBERS.get(data, ("-generation",))]


def run(cell: Cell, context: Context) -> None:
    found = frame(cell.data, context)
    if not len(found):
        raise WsrError("nothing of this data set has been measured: `python -m precompute run audits` does it.")
    paper = PAPER["table3_generation_shapenet"]["multi"]
    if not has_surfaces(cell.data):
        paper = PAPER["table2_generation_ffhq"]
    every, *encoder = tables(cell.data, context)
    write(every, rows(found, paper), order(found), cell, context)
    for name in encoder:
        table_5 = PAPER["table5_ablation_layer_encoder_shapenet10"]
        kept = found[found["name"].isin(["mlora-asym", FLAT])]
        write(name, rows(kept, {"mlora-asym": table_5["with"], FLAT: table_5["without"]}), [], cell, context)


def write(name: str, table: list[dict], compared: list[dict], cell: Cell, context: Context) -> None:
    paths = [context.path(f"reports/{name}.{ending}") for ending in ("json", "csv", "md")]
    about = {"preset": context.preset, "training seconds": seconds_of(cell.data)}
    write_tables(paths, table, compared, **about)


def measured(data: str, context: Context) -> dict[str, str]:
    """Where `audits` writes what it measured, by representation."""
    return {kind: f"reports/generation-{context.zoo(data, kind)}.json" for kind in representations}


def frame(data: str, context: Context) -> pd.DataFrame:
    """All that was measured of a data set: `name` is a representation, and in the first rows of each its baseline."""
    found = []
    for kind, asset in measured(data, context).items():
        path = context.path(asset)
        for row in json.loads(path.read_text())["rows"] if path.exists() else []:
            flat = row["model"] == Generator(data, kind, encoder=False).name(context)
            found.append(row | {"name": FLAT if flat else kind})
    return pd.DataFrame(found)


def rows(found: pd.DataFrame, paper: dict) -> list[dict]:
    made = []
    for (name, what, against), part in found.groupby(["name", "set", "against"], sort=False):
        row = {"representation": name, "set": what, "against": against, "seeds": len(part)}
        for measure, key in MEASURES.items():
            if measure in part:
                spread = part[measure].std(ddof=1) if len(part) > 1 else np.nan
                head, unit = shown_as(measure), UNITS.get(measure, 1)
                row |= {head: part[measure].mean() / unit, f"{head} sd": spread / unit}
                if what == "samples" and against == "train":
                    row[f"paper {measure}"] = paper.get(name, {}).get(key)
        made.append(row)
    return made


def order(found: pd.DataFrame) -> list[dict]:
    """Which of two is better, where both have their seeds: smaller distances, larger coverage, 1-NNA nearer to 0.5."""
    made = []
    samples = found[found["set"] == "samples"]
    for better, worse in ORDER:
        for against in SIDES:
            for measure in MEASURES:
                pair = [_values(samples, name, against, measure) for name in (better, worse)]
                if min(map(len, pair)) < len(SEEDS["mlp"]):
                    continue
                gain = unpaired(pair[1], pair[0])
                unit, row = UNITS.get(measure, 1), {"better": better, "worse": worse, "against": against}
                row |= {"measure": shown_as(measure), "by": gain.mean / unit, "±": gain.half / unit}
                row |= _ratios(found, better, worse, against) if measure == "FD" else {}
                made.append(row | {"verdict": gain.verdict})
    return made


def _ratios(found: pd.DataFrame, better: str, worse: str, against: str) -> dict[str, float]:
    """How many times as large the worse one's FD is, as it is and above the floor: what is left of a perfect
    generator's, with as many samples."""
    part = found[found["against"] == against]
    of = part.groupby(["set", "name"])["FD"].mean()
    above = [of["samples", name] - of["floor", name] for name in (worse, better)]
    return {"ratio": of["samples", worse] / of["samples", better], "above the floor": above[0] / above[1]}


def _values(samples: pd.DataFrame, name: str, against: str, measure: str) -> np.ndarray:
    """The measure of each seed, less being better."""
    if measure not in samples:
        return np.zeros(0)
    part = samples[(samples["name"] == name) & (samples["against"] == against)][measure].dropna().to_numpy()
    return {"COV": 1 - part, "1-NNA": np.abs(part - 0.5)}.get(measure, part)


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
