"""Table 4: what simple methods read in the weights, ours beside the paper's.

The methods are 1-NN by cosine, logistic regression, and k-means (adjusted Rand index), on all 1,000 fits of each zoo.
They read the weights as they are (`raw`), as in the paper, and prepared (`wsr.analysis.probes`). Values are means and
standard deviations over 10 random splits, in percent. The paper's order is multiplicative, additive, standalone, from
best to worst. It is judged by differences of runs that share their splits, with Nadeau and Bengio's correction. Zoos
that do not exist yet are left out.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from app.shared.palette import NAMES, REPRESENTATION_COLOURS
from precompute.experiment import Cell, Context, Experiment, Found
from precompute.selection import has_surfaces
from precompute.tables import PAPER, write_tables
from wsr.analysis.probes import PROTOCOLS, RAW, RUNS, TEST, probe
from wsr.data.registry import slug
from wsr.fields import registry
from wsr.paths import atomic_path
from wsr.progress import bar
from wsr.stats import resampled

MEASURES = {"nearest": ("1-NN", "nn1"), "logistic": ("logistic", "logistic"), "ari": ("ARI", "ari")}
ORDER = [
    *((a, b) for a in ("mlora", "mlora-asym") for b in ("lora", "lora-asym")),
    *((a, b) for a in ("lora", "lora-asym") for b in ("mlp", "mlp-asym")),
    *((a, b) for a in ("mlora", "mlora-asym") for b in ("mlp", "mlp-asym")),
    ("mlora", "mlora-asym"),  # the paper's best is mLoRA
]


def run(cell: Cell, context: Context) -> dict:
    """The scores of each run of a zoo's probes, in percent."""
    zoo, begun = context.open_zoo(cell), time.monotonic()
    index = zoo.index.sort_values("id")
    index = index[index["status"] == "ok"]
    with bar(str(cell)) as update:
        found = probe(
            zoo.weights(index["id"].tolist()).numpy(), index["class"].to_numpy(), RUNS, protocol=cell["protocol"],
            progress=lambda i: update(i, RUNS),
        )  # fmt: skip
    scores = {key: (100 * getattr(found, key)).tolist() for key in MEASURES}
    return {"instances": len(index), "seconds": time.monotonic() - begun, "scores": scores}


def report(found: Found, paths: list[Path], context: Context) -> None:
    rows = [_row(cell, value) for cell, value in found]
    scores = {(cell.data, cell["protocol"], cell.representation): value["scores"] for cell, value in found}
    order = [row for of in dict.fromkeys(key[:2] for key in scores) for row in _order(of, scores)]
    about = {"preset": context.preset, "runs": RUNS, "test": TEST, "seeds": list(range(RUNS))}
    write_tables(paths, rows, order, **about)
    _draw(pd.DataFrame(rows), next(path for path in paths if path.suffix == ".png"))


def _row(cell: Cell, value: dict) -> dict:
    row = {"data set": slug(cell.data), "protocol": cell["protocol"], "representation": cell.representation}
    row |= {"instances": value["instances"], "seconds": value["seconds"]}
    paper = PAPER["table4_discrimination_shapenet10"].get(cell.representation) if has_surfaces(cell.data) else None
    for key, (label, name) in MEASURES.items():
        row |= {label: np.mean(value["scores"][key]), f"{label} sd": np.std(value["scores"][key])}
        if paper:
            row |= {f"paper {label}": paper[name][0], f"paper {label} sd": paper[name][1]}
    return row


def _order(of: tuple[str, str], scores: dict) -> list[dict]:
    """The verdicts on the paper's order for a data set and a protocol."""
    rows = []
    for better, worse in ORDER:
        for key, (label, _) in MEASURES.items():
            if (*of, better) in scores and (*of, worse) in scores:
                gain = resampled(*(np.array(scores[*of, name][key]) for name in (better, worse)), TEST)
                row = {"data set": slug(of[0]), "protocol": of[1], "measure": label, "better": better, "worse": worse}
                rows.append(row | {"by": gain.mean, "±": gain.half, "verdict": gain.verdict})
    return rows


def _draw(table: pd.DataFrame, path) -> None:
    """Draws what is read in raw weights."""
    table = table[table["protocol"] == RAW]
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    for number, (label, _) in enumerate(MEASURES.values(), 1):
        axis = figure.add_subplot(1, 3, number)
        datasets = list(dict.fromkeys(table["data set"]))
        width = 0.8 / len(datasets)
        for i, dataset in enumerate(datasets):
            shift = width * (i - (len(datasets) - 1) / 2)
            part = table[table["data set"] == dataset]
            places = np.array([list(NAMES).index(name) for name in part["representation"]]) + shift
            colours = [REPRESENTATION_COLOURS[name] for name in part["representation"]]
            filled = (
                {"color": colours} if i else {"color": "none", "edgecolor": colours}
            )  # the first data set is outlined
            axis.bar(places, part[label], 0.9 * width, yerr=part[f"{label} sd"], label=dataset, **filled)
        axis.set_xticks(range(len(NAMES)), list(NAMES.values()), rotation=30, ha="right")
        told = f": outlined {datasets[0]}, filled {', '.join(datasets[1:])}" if len(datasets) > 1 else ""
        axis.set(title=f"{label} (%){told}")
        axis.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")


EXPERIMENT = Experiment(
    name="table4",
    title="`reports/table4.*`: what simple methods read in weights, beside the paper's",
    data=("emoji", "shapes10"),
    grid={"representation": registry.names, "protocol": PROTOCOLS},
    settings=lambda cell, context: {"runs": RUNS, "test": TEST},
    needs=("zoos/{zoo}",),
    run=run,
    report=report,
    held=lambda report, cell, context: any(
        (row["data set"], row["representation"], row.get("protocol"))
        == (slug(cell.data), cell.representation, cell["protocol"])
        for row in report["rows"]
    ),
    reports=tuple(f"reports/table4{{tag}}.{ending}" for ending in ("json", "csv", "md", "png")),
    place=8,
    size="0.1 MB",
    time="6 min",
)
