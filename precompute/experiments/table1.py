"""Table 1: reconstruction by the six representations, ours beside the paper's.

PSNR and IoU come from the zoos' indices, the seconds of a fit from `wsr bench fit`. For shapes the Chamfer distance of
decoded surfaces (at 128³) to their targets is measured between 2,048 points of each. It sums the mean distances (not
squared) of both directions. `floor` is that distance between two samples of the target itself. Values are means with
95 % confidence intervals over the held-out instances. The paper's order is judged by differences on the same instances.
Zoos that do not exist yet are left out.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.final import final_fits, final_signals
from precompute.selection import has_surfaces, quality_of, zoo_signals
from precompute.tables import PAPER, write_tables
from wsr.data import load_signals
from wsr.data.registry import slug
from wsr.fields import registry
from wsr.metrics.surfaces import POINTS, surface_distance
from wsr.progress import bar
from wsr.stats import mean_interval, paired
from wsr.zoo import Zoo

CLOUDS = 100  # how many held-out shapes have their surfaces compared
CHAMFER = "CD ×10²"

# Statements of section 4.1 of the paper about its Table 1: the first one of each pair is better.
BEST = "mlora-asym"
ORDER = (
    *((BEST, other) for other in PAPER["representations"] if other != BEST),
    *((adapter, mlp) for adapter in ("lora", "mlora") for mlp in ("mlp", "mlp-asym")),
    ("lora", "lora-asym"),
)


def run(cell: Cell, context: Context) -> dict:
    """The values of one zoo, or the floor of a data set."""
    if has_surfaces(cell.data):
        context.prepare(cell.data)
    if "representation" not in cell.values:
        ids = _some(sorted(final_signals(EXPERIMENT, zoo_signals(cell.data)).ids))
        meshes = (signal.read() for signal in load_signals(cell.data, ids))
        return {"floor": 100 * float(np.mean([surface_distance(mesh, mesh) for mesh in meshes]))}
    zoo = context.open_zoo(cell)
    held = final_fits(EXPERIMENT, zoo)
    held = held[~held["status"].str.startswith("diverged")].sort_values("id")  # poor fits count as results
    found = {
        "weights": zoo.representation.size,
        "seconds": _seconds(cell, context),
        "quality": held.set_index("id")["quality"].to_dict(),
        "seen": float(zoo.index[zoo.index["split"] == "train"]["quality"].mean()),
    }
    if has_surfaces(cell.data):
        found["chamfer"] = _chamfers(zoo, _some(held["id"].tolist()))
    return found


def _seconds(cell: Cell, context: Context) -> float | None:
    """Seconds of a fit, measured by `wsr bench fit`; None before that has been run, or if the representation was
    registered since."""
    path = context.path(_bench(cell, context))
    measured = json.loads(path.read_text())["seconds_by_representation"] if path.exists() else {}
    return measured.get(cell.representation)


def _bench(cell: Cell, context: Context) -> str:
    return f"reports/bench-fit-{context.named(cell.data)}.json"


def _chamfers(zoo: Zoo, ids: list[str]) -> dict[str, float]:
    """Chamfer distances of decoded surfaces to their targets, ×100, by id."""
    found = {}
    with bar(f"Chamfer {zoo.path.name}") as update:
        for signal in load_signals(zoo.meta["dataset"], ids):
            found[signal.id] = 100 * surface_distance(zoo.decode([signal.id], 128)[0], signal.read())
            update(len(found), len(ids))
    return found


def _some(ids: list[str]) -> list[str]:
    """Returns CLOUDS of the ids at equal distances, which spreads them over the classes, since ids are sorted by
    class."""
    return ids[:: max(1, len(ids) // CLOUDS)]


def report(found: Found, paths: list[Path], context: Context) -> None:
    cells = {(cell.data, cell.values.get("representation")): value for cell, value in found}
    datasets = list(dict.fromkeys(data for data, _ in cells))
    rows = [_row(name, {data: cells[data, name] for data in datasets if (data, name) in cells})
            for name in registry.names() if any((data, name) in cells for data in datasets)]  # fmt: skip
    about = {"preset": context.preset, "split": "heldout", "chamfer_points": POINTS, "chamfer_shapes": CLOUDS}
    for data in datasets:
        if (data, None) in cells:
            about |= {f"{CHAMFER} floor": cells[data, None]["floor"]}
    write_tables(paths, rows, in_order(cells, datasets), **about)


def held(report: dict, cell: Cell, context: Context) -> bool:
    """Whether a report has the row of the cell's representation with the qualities of its data set, or the floor."""
    if "representation" not in cell.values:
        return f"{CHAMFER} floor" in report
    quality = f"{slug(cell.data)} {quality_of(cell.data)}"
    return any(row["representation"] == cell.representation and row.get(quality) is not None for row in report["rows"])


def _row(name: str, found: dict[str, dict]) -> dict:
    row = {"representation": name}
    for data, value in found.items():
        quality = f"{slug(data)} {quality_of(data)}"
        row |= {f"{slug(data)} weights": value["weights"], f"{slug(data)} seconds": value["seconds"]}
        row |= {**intervals(quality, value["quality"]), f"{quality} seen": value["seen"]}
        if "chamfer" in value:
            row |= intervals(f"{slug(data)} {CHAMFER}", value["chamfer"])
    paper = PAPER["table1_reconstruction"].get(name)
    if paper is None:  # a representation that the paper does not have
        return row
    row |= {"paper PSNR": paper["ffhq_psnr"], "paper weights (2D)": paper["ffhq_params"]}
    return row | {f"paper {CHAMFER}": paper["shapenet_cd_m"], "paper weights (3D)": paper["shapenet_params"]}


def intervals(measure: str, of: dict[str, float]) -> dict:
    """Returns the mean of values by id, and the half of its interval, in a row."""
    found = mean_interval(np.array(list(of.values())))
    return {measure: found.mean, f"{measure} ±": found.half}


def in_order(cells: dict, datasets: list[str]) -> list[dict]:
    """Returns a row for each statement of the paper and each measure, given the values of `run` by data set and
    representation: by how much the first representation is better on
    the same instances, the 95 % interval, and whether that confirms the statement, refutes it or leaves it open."""
    rows = []
    for data in datasets:
        for key, measure, sign in (("quality", quality_of(data), 1), ("chamfer", CHAMFER, -1)):
            for better, worse in ORDER:
                values = [cells.get((data, name), {}).get(key) for name in (better, worse)]
                if None not in values:
                    both = pd.DataFrame({"a": values[0], "b": values[1]}).dropna()
                    gain = paired(sign * both["a"].to_numpy(), sign * both["b"].to_numpy())
                    row = {"measure": f"{slug(data)} {measure}", "better": better, "worse": worse, "by": gain.mean}
                    rows.append(row | {"±": gain.half, "instances": gain.count, "verdict": gain.verdict})
    return rows


def grid(context: Context) -> list[dict]:
    data = context.data(EXPERIMENT)
    floors = [{"data": one, "part": "floor"} for one in data if has_surfaces(one)]
    return [{"data": one, "representation": name} for one in data for name in registry.names()] + floors


EXPERIMENT = Experiment(
    name="table1",
    title="`reports/table1.*`: reconstruction, ours beside the paper's",
    data=("emoji", "shapes10"),
    grid=grid,
    settings=lambda cell, context: {"points": POINTS, "clouds": CLOUDS},
    needs=lambda cell, context: ["zoos/{zoo}"] if "representation" in cell.values else [],
    uses=lambda cell, context: [_bench(cell, context)] if "representation" in cell.values else [],
    run=run,
    final=True,
    report=report,
    held=held,
    reports=tuple(f"reports/table1{{tag}}.{ending}" for ending in ("json", "csv", "md")),
    place=7,
    size="20 kB",
    time="10 min",
)
