"""Validates a zoo: whether it decodes, and whether the quality in its index is that of its weights."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from wsr.data import load_signals
from wsr.errors import WsrError, counted, were
from wsr.fields.description import FieldDescription
from wsr.fitting.problem import make_problem
from wsr.fitting.verdict import is_poor
from wsr.render.decode import evaluate_in_chunks
from wsr.zoo.zoo import Zoo

BATCH = 8
# The settings that determine how weights decode, and their names in messages.
MEANING = {
    "representation": "representations", "field": "sizes", "rank": "ranks", "base_sha256": "bases",
    "mask_seed": "masks",
}  # fmt: skip


@dataclass
class CheckReport:
    """Result of a check. `recomputed` is empty if the targets are not available; then only decoding was checked."""

    instances: int
    problems: list[str] = field(default_factory=list)
    targets_missing: str = ""
    recomputed: dict[str, float] = field(default_factory=dict)
    largest_difference: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.problems


def check_zoo(zoo: Zoo, sample: int | None = None, progress: Callable[[int, int], None] | None = None) -> CheckReport:
    """Decodes all instances, or `sample` evenly spaced ones, and recomputes their quality against their targets.
    WsrError for a sample of none."""
    if sample is not None and sample < 1:
        raise WsrError(f"A sample holds one instance or more, not {sample}.")
    rows = (
        zoo.index
        if sample is None or sample >= len(zoo)
        else zoo.index.iloc[np.linspace(0, len(zoo) - 1, sample).round().astype(int)]
    )
    report = CheckReport(len(rows))
    if zoo.index["id"].duplicated().any():
        report.problems.append("its index names an instance twice")
    if (unnamed := zoo.rows_on_disk() - len(zoo)) > 0:
        report.problems.append(_without_rows(zoo, unnamed))
    try:
        signals = load_signals(zoo.meta["dataset"]).select(zoo.instances(rows["id"]))
    except WsrError as error:
        signals, report.targets_missing = None, str(error)
    for first in range(0, len(rows), BATCH):
        part = rows.iloc[first : first + BATCH]
        part = part[(part["status"] == "ok") | part["status"].map(is_poor)]
        if len(part):
            _check_batch(zoo, part, None if signals is None else signals.select(zoo.instances(part["id"])), report)
        if progress:
            progress(min(first + BATCH, len(rows)), len(rows))
    return report


def _without_rows(zoo: Zoo, unnamed: int) -> str:
    """What is wrong with a zoo whose weight files hold more rows than its index names. A killed writer leaves them at
    the end, where they do no harm; a row that the index has lost shifts all that follow it."""
    held = f"its weight files hold {counted(len(zoo) + unnamed, 'vector')}, and its index names {len(zoo):,}"
    return (
        f"{held}: {unnamed:,} {were(unnamed, 'has', 'have')} no row in the index. If the run that wrote the zoo was "
        "stopped, run the same command again, which writes over them; otherwise the index has lost rows, and weights "
        "may stand under another's id: fetch index.parquet again, or make the zoo anew"
    )


def require_alike(samples: Zoo, zoo: Zoo) -> None:
    """Raises a WsrError that says what differs if the weights of one zoo would decode differently in the other."""
    one, other = (FieldDescription.read(of.meta) for of in (samples, zoo))
    for key, what in MEANING.items():
        mine, its = getattr(one, key), getattr(other, key)
        older = key == "field" and one.base_sha256 and None in (mine, its)  # left to the base, which is the same
        if mine != its and not older:
            raise WsrError(
                f"{samples.path.name!r} and {zoo.path.name!r} cannot be compared: their {what} differ "
                f"({mine!r} and {its!r})."
            )


def _check_batch(zoo: Zoo, part, signals, report: CheckReport) -> None:
    weights = zoo.weights(part["id"].tolist())
    if signals is None:
        points = torch.rand(1, 256, zoo.modality.dim, generator=torch.Generator().manual_seed(0)) * 2 - 1
        values = evaluate_in_chunks(zoo.representation, weights, points)
        for name, good in zip(part["id"], torch.isfinite(values).all(2).all(1).tolist(), strict=True):
            if not good:
                report.problems.append(f"{name} decodes to values that are not finite")
        return
    quality = make_problem(signals, zoo.resolution).evaluator.quality(zoo.representation, weights)
    for row, signal, found in zip(part.itertuples(), signals, quality, strict=True):
        report.recomputed[row.id] = float(found)
        difference = abs(float(found) - row.quality)
        report.largest_difference = max(report.largest_difference, difference)
        if signal.sha256() != row.target_sha256:
            report.problems.append(f"{row.id}: its target here is not the one it was fitted to (SHA-256 differs)")
        elif not difference <= zoo.modality.tolerance:
            report.problems.append(f"{row.id}: the index states {row.quality:.4g}, its weights give {found:.4g}")
