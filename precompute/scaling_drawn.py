"""The scaling law as a picture: FD, copies and span share over the number of training weights."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsr.fields.registry import named
from wsr.paths import atomic_path

PANELS = {"FD": "FD to the test split", "replica": "share of copies", "span share": "test fits in the span of n fits"}


def draw(table: pd.DataFrame, path: str | Path) -> None:
    """Draws a row of three panels for each data set, with a line for each representation through the means over seeds,
    and a point for each seed. table: the rows of the report."""
    datasets = list(dict.fromkeys(table["data set"]))
    figure = Figure(figsize=(13, 3.6 * len(datasets)), layout="constrained")
    axes = figure.subplots(len(datasets), len(PANELS), squeeze=False)
    for row, dataset in zip(axes, datasets, strict=True):
        part = table[table["data set"] == dataset]
        for axis, (column, title) in zip(row, PANELS.items(), strict=True):
            _panel(axis, part, column)
            axis.set_title(f"{dataset}: {title}")
    axes[0, 0].legend(frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")


def _panel(axis: Axes, part: pd.DataFrame, column: str) -> None:
    for number, (name, found) in enumerate(part.groupby("representation", sort=False)):
        means = found.groupby("count")[column].mean()
        axis.plot(means.index, means, "-", color=f"C{number}", label=named(name).label)
        axis.plot(found["count"], found[column], "o", markersize=3, color=f"C{number}")
        if column == "FD":
            axis.axhline(found["FD of fits"].mean(), color=f"C{number}", linestyle=":", linewidth=1)
    axis.set(xscale="log", xlabel="training weights n", ylim=(0, None))
    axis.spines[["top", "right"]].set_visible(False)
