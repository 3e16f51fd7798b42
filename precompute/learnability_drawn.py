"""The study of learnability as a picture: for each lever the noise and quality of fits, the share of unseen fits in the
span of training fits, and the FD of a small generator."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from wsr.paths import atomic_path


def draw(table: pd.DataFrame, counts: Sequence[int], path: str | Path) -> None:
    """Draws a row of three panels for each data set: the quality over the share of noise, the share of unseen fits in
    the span of n training fits, and FD. Each lever has one colour, and the paper's protocol is black."""
    datasets, levers = (list(dict.fromkeys(table[axis])) for axis in ("data set", "lever"))
    figure = Figure(figsize=(13, 4 * len(datasets)), layout="constrained")
    shades = {lever: f"C{number % 10}" if number else "black" for number, lever in enumerate(levers)}
    for number, dataset in enumerate(datasets):
        panels = [figure.add_subplot(len(datasets), 3, 3 * number + i) for i in (1, 2, 3)]
        part = table[table["data set"] == dataset].set_index("lever")
        _noise(panels[0], part, shades)
        _spans(panels[1], part, counts, shades)
        _distances(panels[2], part, shades)
        panels[0].set_title(f"{dataset}: noise and quality of fits")
        for axis in panels:
            axis.spines[["top", "right"]].set_visible(False)
    handles, labels = figure.axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")


def _noise(axis: Axes, part: pd.DataFrame, shades: dict[str, str]) -> None:
    for lever, row in part.iterrows():
        axis.errorbar(
            row["noise share"], row["quality"], row["quality se"], row["noise share se"], "o", color=shades[lever]
        )
    axis.set(xlabel="noise share: 1 − cosine of two fits of one target", ylabel="quality of unseen fits")


def _spans(axis: Axes, part: pd.DataFrame, counts: Sequence[int], shades: dict[str, str]) -> None:
    for lever, row in part.iterrows():
        shares = [row.get(f"span of {count}", np.nan) for count in counts]
        axis.plot(counts, shares, "o-", markersize=3, color=shades[lever], label=lever)
    axis.set(xscale="log", xlabel="training fits n", title="share of unseen fits in the span of n")
    axis.set_xticks(counts, map(str, counts), minor=False)
    axis.minorticks_off()


def _distances(axis: Axes, part: pd.DataFrame, shades: dict[str, str]) -> None:
    places = np.arange(len(part))[::-1]
    axis.barh(places, part["FD"], color=[shades[lever] for lever in part.index])
    axis.plot(part["FD of training fits"], places, "|", color="white", markersize=12, markeredgewidth=2)
    axis.set_yticks(places, part.index)
    axis.set(xlabel="FD to unseen fits", title="a small generator (white: training fits)")
