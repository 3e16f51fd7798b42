"""The audits as pictures, one for each data set. For every audited representation, the picture shows quality over
novelty, and the distances to the nearest training weight."""

import json

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from app.figures.plane import colours
from app.shared.palette import NAMES, OTHER_COLOUR
from precompute.experiment import Cell, Context, Experiment
from precompute.generators import DATASETS
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.paths import atomic_path

EDGE, BINS = 3.0, 40  # end of both axes of the plane, where points beyond are drawn; bins of the histograms
BACK = {"noise 0.1": "x", "average of 2": "+", "average of 16": "1", "Gaussian": "^"}  # baselines behind the generators


def run(cell: Cell, context: Context) -> None:
    reports = context.path("reports")
    names = {kind: f"audit-{context.zoo(cell.data, kind)}" for kind in registry.names()}
    there = [kind for kind, name in names.items() if (reports / f"{name}.parquet").exists()]
    if not there:
        raise WsrError("this data set has not been audited: `python -m precompute run audits` does it.")
    figure = Figure(figsize=(2.7 * len(there), 5.2), layout="constrained")
    for column, kind in enumerate(there, 1):
        rows = pd.read_parquet(reports / f"{names[kind]}.parquet")
        about = json.loads((reports / f"{names[kind]}.json").read_text())
        plane = figure.add_subplot(2, len(there), column)
        draw_plane(plane, rows, colours(kind))
        copies = 1 - about["summaries"]["diffusion"]["novel"]
        plane.set(title=f"{NAMES[kind]}: {copies:.0%} copies", xlabel="novelty (1: a new fit)")
        histogram = figure.add_subplot(2, len(there), len(there) + column)
        draw_distances(histogram, rows, about["training distances"], colours(kind))
        histogram.set(xlabel="nearest training weight", yticks=[])
        if column == 1:
            plane.set(ylabel="unlike real (1: a new fit)")
            histogram.set(ylabel="share")
        for axis in (plane, histogram):
            axis.spines[["top", "right"]].set_visible(False)
    found = {}
    for axis in figure.axes:
        found |= dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    figure.legend(found.values(), found, loc="outside lower center", ncols=6, frameon=False, fontsize=8)
    with atomic_path(reports / f"audit-{context.named(cell.data)}.png") as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def draw_plane(axis, rows: pd.DataFrame, colour: dict[str, str]) -> None:
    for generator, part in rows.groupby("generator", sort=False):
        if generator not in colour and generator not in BACK:
            continue
        x, y = (part[name].clip(upper=EDGE) for name in ("novelty", "quality"))
        marker = BACK.get(generator, "o")
        size = {"s": 14, "linewidths": 0.8} if generator in BACK else {"s": 5, "linewidths": 0}
        axis.scatter(x, y, color=colour.get(generator, OTHER_COLOUR), marker=marker, alpha=0.6, label=generator, **size)
    for line in (axis.axvline, axis.axhline):
        line(1, linestyle=":", color="0.4", linewidth=0.8)
    axis.set(xlim=(0, None), ylim=(0, EDGE + 0.05))


def draw_distances(axis, rows: pd.DataFrame, training: list[float], colour: dict[str, str]) -> None:
    sets = {"training": np.array(training)}
    for generator, part in rows.groupby("generator", sort=False):
        if generator in colour:
            sets[generator] = part["distance"].to_numpy()
    edges = np.linspace(0, max(np.quantile(values, 0.99) for values in sets.values()) * 1.05, BINS + 1)
    for name, values in sets.items():
        share = np.histogram(np.clip(values, 0, edges[-1]), edges)[0] / len(values)
        axis.stairs(share, edges, color=colour.get(name, OTHER_COLOUR), label=name)


def uses(cell: Cell, context: Context) -> list[str]:
    names = [context.zoo(cell.data, kind) for kind in registry.names()]
    return [f"reports/audit-{name}.{ending}" for name in names for ending in ("parquet", "json")]


EXPERIMENT = Experiment(
    name="audit_drawn",
    title="`reports/audit-<data set>.png`: the audits as pictures",
    data=DATASETS,
    uses=uses,
    makes=("reports/audit-{data}.png",),
    run=run,
    gathers=True,
    place=15,
    size="2 × 0.2 MB",
    time="5 s",
)
