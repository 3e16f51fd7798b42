"""Draws the figure of `wsr bench growth`: seconds per instance and memory, over the size of the zoo."""

from pathlib import Path

from wsr.errors import WsrError
from wsr.paths import atomic_path


def draw_growth(rows: list[dict], path: str | Path) -> None:
    """Draws the rows of `bench_growth` as a PNG. WsrError if matplotlib is missing, which the extra `report` installs.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise WsrError("A figure needs matplotlib: pip install 'wsr[report]'.") from None
    sizes = [row["instances"] for row in rows]
    figure = Figure(figsize=(7, 2.8), layout="constrained")
    for axis, values, label in (
        (figure.add_subplot(1, 2, 1), [1000 * row["seconds"] for row in rows], "ms an instance"),
        (figure.add_subplot(1, 2, 2), [row["peak_bytes"] / 2**30 for row in rows], "GiB at the peak"),
    ):
        axis.plot(sizes, values, "o-", color="#0072b2")
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axis.set_ylim(0, 1.3 * max(values))
        axis.set(xlabel="instances of the zoo", ylabel=label)
        axis.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=160, format="png")
