"""Table 1: reconstruction by the six representations, ours beside the paper's. `python -m precompute.table1`.

From the zoos' own indices (PSNR, IoU), from `wsr bench fit` (seconds of a fit with nothing else running) and, for
shapes, the Chamfer distance of decoded surfaces (at 128³) to their targets, of 2,048 points each: plain distances, both
directions summed. `floor` is that distance between two samples of the target itself. Means with 95 % confidence
intervals over the held-out instances; the paper's order is judged on differences of the same instances. Zoos that are
not there yet are left out. Written to assets/reports/table1.{json,csv,md}.
"""

import json

import numpy as np
import pandas as pd

from precompute.selection import zoo_signals
from precompute.tables import PAPER, markdown
from wsr import representations
from wsr.data import load_signals
from wsr.metrics.surfaces import POINTS, surface_distance
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.stats import mean_interval, paired
from wsr.zoo import Zoo

CLOUDS = 100  # held-out shapes whose surfaces are compared
MEASURES = {"emoji PSNR": 1, "shapes10 IoU": 1, "shapes10 CD ×10²": -1}  # and whether more is better

# What the paper says of its Table 1, section 4.1: the first is the better one.
ORDER = (
    *(("mlora-asym", other) for other in representations if other != "mlora-asym"),
    *((adapter, mlp) for adapter in ("lora", "mlora") for mlp in ("mlp", "mlp-asym")),
    ("lora", "lora-asym"),
)


def main() -> None:
    rows, values = [], {measure: {} for measure in MEASURES}
    for name in representations:
        row = {"representation": name}
        for dataset in ("emoji", "shapes10"):
            if (assets_dir() / "zoos" / f"{dataset}-{name}" / "zoo.json").exists():
                row |= _row(Zoo.open(f"{dataset}-{name}"), dataset, name, values)
        paper = PAPER["table1_reconstruction"][name]
        row |= {"paper PSNR": paper["ffhq_psnr"], "paper weights (2D)": paper["ffhq_params"]}
        row |= {"paper CD ×10²": paper["shapenet_cd_m"], "paper weights (3D)": paper["shapenet_params"]}
        rows.append(row)
    _write(pd.DataFrame(rows), _order(values), 100 * float(np.mean(_floor())))


def _row(zoo: Zoo, dataset: str, name: str, values: dict) -> dict:
    held = zoo.index[(zoo.index["split"] == "heldout") & ~zoo.index["status"].str.startswith("diverged")]
    held = held.sort_values("id")  # poor fits are results as well
    measure = "emoji PSNR" if dataset == "emoji" else "shapes10 IoU"
    values[measure][name] = held.set_index("id")["quality"]
    row = {
        f"{dataset} weights": zoo.representation.size,
        f"{dataset} seconds": _seconds(dataset, name),
        **_interval(measure, values[measure][name]),
        f"{measure} seen": zoo.index[zoo.index["split"] == "train"]["quality"].mean(),
    }
    if dataset == "shapes10":
        measure = "shapes10 CD ×10²"
        values[measure][name] = 100 * _chamfers(zoo, _some(held["id"].tolist()))
        row |= _interval(measure, values[measure][name])
    return row


def _seconds(dataset: str, name: str) -> float:
    """Of a fit, measured with nothing else running (`wsr bench fit`); NaN before that."""
    path = assets_dir() / "reports" / f"bench-fit-{dataset}.json"
    return json.loads(path.read_text())["seconds_by_representation"][name] if path.exists() else float("nan")


def _interval(measure: str, of: pd.Series) -> dict:
    found = mean_interval(of.to_numpy())
    return {measure: found.mean, f"{measure} ±": found.half}


def _chamfers(zoo: Zoo, ids: list[str]) -> pd.Series:
    """Of decoded surfaces to their targets, by id."""
    found = {}
    with bar(f"Chamfer {zoo.path.name}") as update:
        for i, signal in enumerate(load_signals("shapes10", ids)):
            found[signal.id] = surface_distance(zoo.decode([signal.id], 128)[0], signal.read())
            update(i + 1, len(ids))
    return pd.Series(found)


def _some(ids: list[str]) -> list[str]:
    """CLOUDS of them, evenly spread: in order of the ids a class stands beside the next."""
    return ids[:: max(1, len(ids) // CLOUDS)]


def _floor() -> list[float]:
    ids = _some(sorted(zoo_signals("shapes10").where(split="heldout").ids))
    return [surface_distance(mesh, mesh) for mesh in (signal.read() for signal in load_signals("shapes10", ids))]


def _order(values: dict) -> list[dict]:
    """For each statement of the paper's and each measure: by how much the first is better on the same instances, with
    the 95 % interval, and whether that confirms the statement, refutes it, or leaves it open."""
    rows = []
    for measure, sign in MEASURES.items():
        for better, worse in ORDER:
            if better in values[measure] and worse in values[measure]:
                both = pd.DataFrame({"a": values[measure][better], "b": values[measure][worse]}).dropna()
                gain = paired(sign * both["a"].to_numpy(), sign * both["b"].to_numpy())
                row = {"measure": measure, "better": better, "worse": worse, "by": gain.mean, "±": gain.half}
                rows.append(row | {"instances": gain.count, "verdict": gain.verdict})
    return rows


def _write(table: pd.DataFrame, order: list[dict], floor: float) -> None:
    reports = assets_dir() / "reports"
    settings = {"preset": "cpu", "split": "heldout", "chamfer_points": POINTS, "chamfer_shapes": CLOUDS}
    report = settings | {"CD ×10² floor": floor, "rows": json.loads(table.to_json(orient="records")), "order": order}
    with atomic_path(reports / "table1.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    with atomic_path(reports / "table1.csv") as temporary:
        table.to_csv(temporary, index=False)
    with atomic_path(reports / "table1.md") as temporary:
        temporary.write_text(markdown(table) + "\n" + markdown(pd.DataFrame(order)))


if __name__ == "__main__":
    main()
