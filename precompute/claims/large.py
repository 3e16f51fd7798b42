"""The order of Tables 2 and 3 for the generators that have learnt from the most fits (`scaling`)."""

import numpy as np

from precompute.claims.claim import OPEN, Claim, Evidence, Fault, Value, label, not_measured
from precompute.claims.generation import ENOUGH, SEEDS, Half
from precompute.claims.reports import Reports
from precompute.tables import PAPER
from wsr.metrics import needing
from wsr.metrics.registry import Metric
from wsr.stats import mean_interval, unpaired

BASELINE, BEST = PAPER["representations"][0], PAPER["representations"][-1]
ENCODED = Fault(
    OPEN,
    "the fits of mLoRA-Asym are `structured`: they start where an encoder says, with less noise. Those of the MLP "
    "are not: the difference is that of two recipes",
)


def report_of(half: Half) -> str:
    """The report on the generators of a data set's large zoos."""
    return f"scaling-{half.data}"


def zoo_of(half: Half) -> str:
    """The file that says how the large zoo of mLoRA-Asym was made."""
    return f"zoos/{half.data}-large-{BEST}/zoo.json"


def large_claims(reports: Reports, half: Half) -> list[Claim]:
    """mLoRA-Asym before HyperDiffusion, by each metric of features that the paper's table has."""
    return [
        Claim(
            id=f"{half.name}.{metric.name}.large.{BEST}>{BASELINE}",
            says=f"samples of {label(BEST)} have a lower {metric.symbol} than those of {label(BASELINE)} "
            f"({half.title}; thousands of training fits)",
            where=half.where,
            paper={name: half.paper[name][metric.name] for name in (BEST, BASELINE)},
            command=f"wsr reproduce scaling --data {half.data}",
            evidence=_evidence(reports, half, metric),
        )
        for metric in needing("features") if metric.name in half.paper[BEST]
    ]  # fmt: skip


def _evidence(reports: Reports, half: Half, metric: Metric) -> Evidence:
    known = reports(report_of(half))
    about = {"measure": f"{metric.heading} against fits of the test split", "data": half.data}
    rows = known["rows"] if known else ()
    most = max((row["count"] for row in rows), default=0)
    sides = [
        np.array([row[metric.heading] for row in rows if row["representation"] == name and row["count"] == most])
        for name in (BEST, BASELINE)
    ]
    if not all(map(len, sides)):
        return Evidence(**about, faults=(not_measured(),))
    faults = [SEEDS] if min(map(len, sides)) < ENOUGH else []
    zoo = reports(zoo_of(half))
    if zoo and zoo.get("encoded"):
        faults.append(ENCODED)
    values = [mean_interval(side) if len(side) > 1 else None for side in sides]
    return Evidence(
        **about, faults=tuple(faults), seeds=min(map(len, sides)), preset=known["preset"], split="the test split",
        difference=unpaired(sides[1], sides[0]) if min(map(len, sides)) >= ENOUGH else None,
        ours=tuple(Value(name, float(np.mean(side)), one.half if one else None, len(side))
                   for name, side, one in zip((BEST, BASELINE), sides, values, strict=True)),
        features=known["extractor"], reports=(report_of(half),),
        more={"samples": known["samples"], "training fits": most, "ratio": float(sides[0].mean() / sides[1].mean())},
    )  # fmt: skip
