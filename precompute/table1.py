"""Table 1: reconstruction by the six representations, ours beside the paper's. `python -m precompute.table1`.

From the zoos' own indices (PSNR, IoU, seconds) and, for shapes, the Chamfer distance of decoded surfaces to targets
at 2,048 points each. Means with the standard error over held-out instances. Zoos that are not there yet
are left out. Written to assets/reports/table1.{json,csv,md}.
"""

import json

import numpy as np
import pandas as pd
import trimesh

from wsr import representations
from wsr.data import load_signals
from wsr.metrics import chamfer
from wsr.paths import assets_dir, atomic_path
from wsr.progress import bar
from wsr.zoo import Zoo

# The paper's Table 1: PSNR on FFHQ 128², Chamfer ×10² on ten ShapeNet categories (its convention is not stated).
PAPER = {
    "mlp": (35.11, 3.78),
    "mlp-asym": (33.28, 4.00),
    "lora": (35.69, 3.39),
    "lora-asym": (24.63, 3.44),
    "mlora": (35.65, 3.49),
    "mlora-asym": (36.91, 3.35),
}
POINTS, CLOUDS = 2048, 100  # points of a surface, and held-out shapes whose surfaces are compared


def main() -> None:
    rows = []
    for name in representations:
        row = {"representation": name, "paper PSNR": PAPER[name][0], "paper CD ×10²": PAPER[name][1]}
        for dataset, measure in (("emoji", "PSNR"), ("shapes10", "IoU")):
            if not (assets_dir() / "zoos" / f"{dataset}-{name}" / "zoo.json").exists():
                continue
            zoo = Zoo.open(f"{dataset}-{name}")
            held = zoo.index[(zoo.index["split"] == "heldout") & (zoo.index["status"] == "ok")]
            row |= {
                f"{dataset} weights": zoo.representation.size,
                f"{measure}": held["quality"].mean(),
                f"{measure} se": held["quality"].sem(),
                f"{measure} seen": zoo.index[zoo.index["split"] == "train"]["quality"].mean(),
                f"{dataset} seconds": zoo.index["seconds"].mean(),
            }
            if dataset == "shapes10":
                distances = _chamfers(zoo, held["id"].tolist()[:CLOUDS])
                row |= {"CD ×10²": 100 * np.mean(distances), "CD se": 100 * np.std(distances) / len(distances) ** 0.5}
        rows.append(row)
    _write(pd.DataFrame(rows))


def _chamfers(zoo: Zoo, ids: list[str]) -> list[float]:
    """Of decoded surfaces to their targets, of plain distances, both directions summed."""
    found = []
    with bar(f"Chamfer {zoo.path.name}") as update:
        for i, signal in enumerate(load_signals("shapes10", ids)):
            decoded = zoo.decode([signal.id], 128)[0]
            clouds = (trimesh.sample.sample_surface(mesh, POINTS, seed=0)[0] for mesh in (decoded, signal.read()))
            found.append(chamfer(*clouds))
            update(i + 1, len(ids))
    return found


def _write(table: pd.DataFrame) -> None:
    reports = assets_dir() / "reports"
    settings = {"preset": "cpu", "chamfer_points": POINTS, "chamfer_shapes": CLOUDS, "split": "heldout"}
    with atomic_path(reports / "table1.json") as temporary:
        temporary.write_text(json.dumps(settings | {"rows": json.loads(table.to_json(orient="records"))}, indent=1))
    with atomic_path(reports / "table1.csv") as temporary:
        table.to_csv(temporary, index=False)
    shown = table.round(3).astype(object).where(table.notna(), "–")
    lines = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    with atomic_path(reports / "table1.md") as temporary:
        temporary.write_text("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
