"""Table 4: what simple methods read in the weights, ours beside the paper's. `python -m precompute.table4`.

1-NN by cosine, logistic regression and k-means (Adjusted Rand Index) on all 1,000 fits of each zoo, for both data sets,
10 random splits and initialisations; mean and standard deviation, in percent. The paper's order, multiplicative >
additive > standalone, is judged on the runs, which share their splits. Zoos that are not there yet are left out.
Written to assets/reports/table4.{json,csv,md,png}.
"""

import json
import time

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from app.shared.palette import NAMES, REPRESENTATION_COLOURS
from precompute.tables import PAPER, markdown
from wsr import representations
from wsr.analysis.probes import RUNS, TEST, Probe, probe
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.stats import Difference, paired, resampled
from wsr.zoo import Zoo

MEASURES = {"nearest": ("1-NN", "nn1"), "logistic": ("logistic", "logistic"), "ari": ("ARI", "ari")}
ORDER = [
    *((a, b) for a in ("mlora", "mlora-asym") for b in ("lora", "lora-asym")),
    *((a, b) for a in ("lora", "lora-asym") for b in ("mlp", "mlp-asym")),
]


def main() -> None:
    found: dict[str, dict[str, Probe]] = {"emoji": {}, "shapes10": {}}
    rows = []
    for dataset, probes in found.items():
        for name in representations:
            if (assets_dir() / "zoos" / f"{dataset}-{name}" / "zoo.json").exists():
                rows.append(_row(dataset, name, probes))
    order = [row for dataset, probes in found.items() for row in _order(dataset, probes)]
    _write(pd.DataFrame(rows), pd.DataFrame(order))


def _row(dataset: str, name: str, probes: dict[str, Probe]) -> dict:
    zoo, begun = Zoo.open(f"{dataset}-{name}"), time.monotonic()
    index = zoo.index.sort_values("id")
    index = index[index["status"] == "ok"]
    with bar(f"probes {zoo.path.name}") as update:
        probes[name] = probe(
            zoo.weights(index["id"].tolist()).numpy(), index["class"].to_numpy(), progress=lambda i: update(i, RUNS)
        )
    row = {"data set": dataset, "representation": name, "instances": len(index), "seconds": time.monotonic() - begun}
    for key, (label, paper) in MEASURES.items():
        values = 100 * getattr(probes[name], key)
        row |= {label: values.mean(), f"{label} sd": values.std()}
        if dataset == "shapes10":
            mean, spread = PAPER["table4_discrimination_shapenet10"][name][paper]
            row |= {f"paper {label}": mean, f"paper {label} sd": spread}
    return row


def _order(dataset: str, probes: dict[str, Probe]) -> list[dict]:
    rows = []
    for better, worse in ORDER:
        for key, (label, _) in MEASURES.items():
            if better in probes and worse in probes:
                gain = _gain(*(100 * getattr(probes[name], key) for name in (better, worse)), key)
                row = {"data set": dataset, "measure": label, "better": better, "worse": worse}
                rows.append(row | {"by": gain.mean, "±": gain.half, "verdict": gain.verdict})
    return rows


def _gain(first: np.ndarray, second: np.ndarray, key: str) -> Difference:
    """Over runs that share their splits. k-means sees all instances in every run: what varies is its start alone."""
    return paired(first, second) if key == "ari" else resampled(first, second, TEST)


def _write(table: pd.DataFrame, order: pd.DataFrame) -> None:
    path = assets_dir() / "reports" / "table4.json"
    settings = {"preset": "cpu", "runs": RUNS, "test": TEST, "seeds": list(range(RUNS))}
    parts = {"rows": json.loads(table.to_json(orient="records")), "order": json.loads(order.to_json(orient="records"))}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(settings | parts, indent=1, ensure_ascii=False))
    with atomic_path(path.with_suffix(".csv")) as temporary:
        table.to_csv(temporary, index=False)
    with atomic_path(path.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(table) + "\n" + markdown(order))
    _draw(table, path.with_suffix(".png"))


def _draw(table: pd.DataFrame, path) -> None:
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    for number, (label, _) in enumerate(MEASURES.values(), 1):
        axis = figure.add_subplot(1, 3, number)
        for shift, dataset in ((-0.2, "emoji"), (0.2, "shapes10")):
            part = table[table["data set"] == dataset]
            places = np.array([list(NAMES).index(name) for name in part["representation"]]) + shift
            colours = [REPRESENTATION_COLOURS[name] for name in part["representation"]]
            filled = {"color": colours} if dataset == "shapes10" else {"color": "none", "edgecolor": colours}
            axis.bar(places, part[label], 0.36, yerr=part[f"{label} sd"], label=dataset, **filled)
        axis.set_xticks(range(len(NAMES)), list(NAMES.values()), rotation=30, ha="right")
        axis.set(title=f"{label} (%): outlined emoji, filled shapes10")
        axis.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")


if __name__ == "__main__":
    main()
