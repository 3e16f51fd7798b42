"""Figure 3 as a picture: similarity and barrier over λ, with a line for each representation."""

from pathlib import Path

from matplotlib.figure import Figure

from app.shared.palette import NAMES, REPRESENTATION_COLOURS
from precompute.selection import modality_of, quality_of
from wsr.fields.registry import named
from wsr.paths import atomic_path

LOG, FOOT = "Chamfer ×10²", 0.05


def barrier_label(dataset: str) -> str:
    """ "barrier, dB of PSNR", or "barrier, IoU" for a quality that has no unit."""
    unit, quality = modality_of(dataset).unit, quality_of(dataset)
    return f"barrier, {unit}" + (f" of {quality}" if unit != quality else "")


def draw(rows: list[dict], dataset: str, path: str | Path) -> None:
    """Draws the cosine of the two fits and the barrier halfway (raw and aligned): mean and standard deviation over
    targets."""
    own = [row for row in rows if row["series"] == "own"]
    panels = [
        ("cosine of the two fits", lambda row: row["cosine"]),
        (barrier_label(dataset), lambda row: row["raw"]["drop"]),
        ("the same, aligned", lambda row: row["aligned"]["drop"]),
    ]
    if own and "rise" in own[0]["raw"]:
        panels.append((f"barrier, {LOG}", lambda row: row["raw"]["rise"]))
    figure = Figure(figsize=(3.4 * len(panels), 3.1), layout="constrained")
    for number, (title, value) in enumerate(panels, 1):
        axis = figure.add_subplot(1, len(panels), number)
        for name, colour in REPRESENTATION_COLOURS.items():
            points = sorted((row["lambda"], *value(row).values()) for row in own if row["representation"] == name)
            if points:
                x, mean, spread = (list(column) for column in zip(*points, strict=True))
                style = "-" if named(name).masked else "--"
                axis.plot(x, mean, style, marker="o", markersize=3, color=colour, label=NAMES[name])
                low, high = ([m + sign * s for m, s in zip(mean, spread, strict=True)] for sign in (-1, 1))
                if title.endswith(LOG):  # values range from 0.3 to 140; bands that reach 0 end at FOOT
                    low = [max(value, FOOT) for value in low]
                axis.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
        axis.set(xlabel="λ, how far the second start is from the first", title=title)
        if title.endswith(LOG):
            axis.set_yscale("log")
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")
