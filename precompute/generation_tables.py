"""Tables 2, 3 and 5: how good generated weights are, ours beside the paper's. `python -m precompute.generation_tables`.

Put together from reports/generation-<zoo>.json, which `precompute.audits` measured: against held-out fits (which nobody
could copy) and against training fits, each beside its floor (held-out against training fits) and the replica baseline
(training weights with a little noise). Mean and standard deviation over seeds where there are three; of one seed there
is none, since subsets of its samples tell little of another seed. Models that are not there yet are left out. Written
to assets/reports/table{2,3,5}.{json,csv,md}.
"""

import json

import numpy as np
import pandas as pd

from precompute.generators import DATASETS, SECONDS, SEEDS, Generator
from precompute.tables import PAPER, markdown
from wsr import representations
from wsr.analysis.evaluation import set_metrics
from wsr.generators.registry import kinds
from wsr.metrics.registry import Metric
from wsr.paths import assets_dir, atomic_path
from wsr.stats import unpaired

SIDES = ("heldout", "train")
ORDER = (("mlora-asym", "mlora"), ("mlora-asym", "mlp"), ("mlora", "mlp"))  # those with three seeds
FLAT = "mlora-asym without the layer encoder"


def main() -> None:
    people, shapes = (frame(dataset) for dataset in DATASETS)
    paper_3 = PAPER["table3_generation_shapenet"]["multi"]
    table_5 = PAPER["table5_ablation_layer_encoder_shapenet10"]
    write(2, rows(people, PAPER["table2_generation_ffhq"]), order(people))
    write(3, rows(shapes, paper_3), order(shapes))
    kept = shapes[shapes["name"].isin(["mlora-asym", FLAT])]
    write(5, rows(kept, {"mlora-asym": table_5["with"], FLAT: table_5["without"]}), [])


def frame(dataset: str) -> pd.DataFrame:
    """All that was measured of a data set: `name` is a representation, and in the first rows of each its baseline."""
    found = []
    for kind in representations:
        path = assets_dir() / "reports" / f"generation-{dataset}-{kind}.json"
        for row in json.loads(path.read_text())["rows"] if path.exists() else []:
            found.append(row | {"name": named_as(kind, f"{dataset}-{kind}", row["model"])})
    return pd.DataFrame(found, columns=None if found else ["name", "set", "against", "model"])


def named_as(representation: str, zoo: str, model: str) -> str:
    """How the table names samples: as their representation, and by whom, where they are not of our diffusion."""
    if model == Generator(zoo, encoder=False).name:
        return FLAT
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
    """Which of two is better by each metric, where both have their seeds."""
    made = []
    samples = found[found["set"] == "samples"]
    for better, worse in ORDER:
        for against in SIDES:
            for metric in set_metrics():
                pair = [_losses(samples, name, against, metric) for name in (better, worse)]
                if min(map(len, pair)) < len(SEEDS["mlp"]):
                    continue
                gain = unpaired(pair[1], pair[0])
                row = {"better": better, "worse": worse, "against": against, "measure": metric.heading}
                row |= {"by": metric.in_unit(gain.mean), "±": metric.in_unit(gain.half)}
                row |= _ratios(found, better, worse, against) if metric.name == "fd" else {}
                made.append(row | {"verdict": gain.verdict})
    return made


def _ratios(found: pd.DataFrame, better: str, worse: str, against: str) -> dict[str, float]:
    """How many times as large the worse one's FD is, as it is and above the floor: what is left of a perfect
    generator's, with as many samples."""
    part = found[found["against"] == against]
    of = part.groupby(["set", "name"])["FD"].mean()
    above = [of["samples", name] - of["floor", name] for name in (worse, better)]
    return {"ratio": of["samples", worse] / of["samples", better], "above the floor": above[0] / above[1]}


def _losses(samples: pd.DataFrame, name: str, against: str, metric: Metric) -> np.ndarray:
    """How much worse than the best each seed is."""
    if metric.symbol not in samples:
        return np.zeros(0)
    part = samples[(samples["name"] == name) & (samples["against"] == against)][metric.symbol]
    return metric.loss(part.dropna().to_numpy())


def write(number: int, table: list[dict], compared: list[dict]) -> None:
    if not table:
        return
    path, shown = assets_dir() / "reports" / f"table{number}.json", pd.DataFrame(table)
    about = {"preset": "cpu", "training seconds": SECONDS, "rows": json.loads(shown.to_json(orient="records"))}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(about | {"order": compared}, indent=1, ensure_ascii=False))
    with atomic_path(path.with_suffix(".csv")) as temporary:
        shown.to_csv(temporary, index=False)
    with atomic_path(path.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(shown) + ("\n" + markdown(pd.DataFrame(compared)) if compared else ""))


if __name__ == "__main__":
    main()
