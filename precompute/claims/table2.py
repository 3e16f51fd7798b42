"""Table 2: generation of pictures. Faces stand for FFHQ."""

import numpy as np

from precompute.claims.claim import OPEN, Claim, Evidence, Fault, Group, Value, label, not_measured
from precompute.claims.generation import ENOUGH, SEEDS, Half, cells, order_claims, reports_of, stated
from precompute.claims.reports import Reports
from precompute.tables import PAPER
from wsr.metrics import needing
from wsr.stats import mean_interval, unpaired

HALF = Half("table2", "FFHQ", PAPER["table2_generation_ffhq"], "faces", "Table 2, section 4.3", "wsr reproduce table2")
BASELINE, PLAIN, *_ADDITIVE, MULTIPLICATIVE, BEST = PAPER["representations"]
TEXT = ((MULTIPLICATIVE, BASELINE),)  # "both mLoRA and mLoRA-Asym manage", where HyperDiffusion fails
ZOO = f"zoos/faces-large-{BEST}/zoo.json"
ENCODED = Fault(
    OPEN,
    "the fits of mLoRA-Asym start where an encoder says and take a quarter of the rate, those of the MLP do not: the "
    "difference is that of two recipes",
)


def claims(reports: Reports) -> list[Claim]:
    return [*order_claims(reports, HALF, stated(HALF, TEXT)), *_large(reports)]


def _large(reports: Reports) -> list[Claim]:
    """The same order for the generators that have learnt from the most fits (`scaling`)."""
    found = []
    for metric in needing("features"):
        key = metric.name
        if key in HALF.paper[BEST]:
            found.append(
                Claim(
                    id=f"table2.{key}.large.{BEST}>{BASELINE}",
                    says=f"samples of {label(BEST)} have a lower {metric.symbol} than those of {label(BASELINE)} "
                    "(FFHQ; thousands of training fits)",
                    where=HALF.where,
                    paper={name: HALF.paper[name][key] for name in (BEST, BASELINE)},
                    command="wsr reproduce scaling --data faces",
                    evidence=_scaled(reports, metric.heading),
                )
            )
    return found


def _scaled(reports: Reports, heading: str) -> Evidence:
    known, about = reports("scaling"), {"measure": f"{heading} against fits of the test split", "data": "faces"}
    rows = [row for row in (known["rows"] if known else ()) if row["data set"] == HALF.data]
    most = max((row["count"] for row in rows), default=0)
    sides = [
        np.array([row[heading] for row in rows if row["representation"] == name and row["count"] == most])
        for name in (BEST, BASELINE)
    ]
    if not all(map(len, sides)):
        return Evidence(**about, faults=(not_measured(),))
    faults = [SEEDS] if min(map(len, sides)) < ENOUGH else []
    zoo = reports(ZOO)
    if zoo and zoo.get("encoded"):
        faults.append(ENCODED)
    values = [mean_interval(side) if len(side) > 1 else None for side in sides]
    return Evidence(
        **about, faults=tuple(faults), seeds=min(map(len, sides)), preset=known["preset"], split="the test split",
        difference=unpaired(sides[1], sides[0]) if min(map(len, sides)) >= ENOUGH else None,
        ours=tuple(Value(name, float(np.mean(side)), one.half if one else None, len(side))
                   for name, side, one in zip((BEST, BASELINE), sides, values, strict=True)),
        features="EfficientNet-Lite0", reports=("scaling",), more={"samples": known["samples"], "training fits": most},
    )  # fmt: skip


GROUP = Group(
    name="table2",
    title="Table 2: generation of pictures",
    place=2,
    claims=claims,
    cells=lambda reports: cells(reports, HALF),
    reports=("scaling", *reports_of(HALF)),
    further=(ZOO,),
    intro="The paper learns from 5,000 faces of FFHQ and compares 2,048 samples by CLIP's features. Here drawn faces "
    "are compared by those of EfficientNet-Lite0.",
)
