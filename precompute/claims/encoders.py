"""Beyond the paper: whether an encoder of weights should know their symmetries, or the weights should have none."""

from precompute.claims.claim import OPEN, Claim, Evidence, Fault, Group, Value, label, not_measured
from precompute.claims.reports import Reports
from wsr.stats import Difference

DATA, SEEDS = "shapes10", 3
REPORT = f"arena-independent-{DATA}"
FEW = Fault(OPEN, f"fewer than {SEEDS} seeds of the encoders")
# Representation, what is said, by how many points, and whether the gain is at least or at most that large.
STATED = (
    ("mlp", "of MLPs that were fitted from independent starts, encoders that know symmetries read at least 10 points "
     "more than those that ignore them", 10.0, True),
    ("mlora-asym", "of mLoRA-Asym from independent starts they read at most 1 point more", 1.0, False),
)  # fmt: skip


def claims(reports: Reports) -> list[Claim]:
    return [
        Claim(
            id=f"encoders.{name}",
            says=says,
            where="not in the paper: what a mask should make needless",
            command="wsr reproduce arena",
            evidence=_evidence(reports, name, points, least),
        )
        for name, says, points, least in STATED
    ]


def _evidence(reports: Reports, name: str, points: float, least: bool) -> Evidence:
    found = reports(REPORT)
    about = {"measure": "points of accuracy that knowing the symmetries gains", "data": DATA}
    gain = next((row for row in (found["gains"] if found else ()) if row["representation"] == name), None)
    if gain is None:
        return Evidence(**about, faults=(not_measured(f"{REPORT}.json has no gain of {label(name)}"),))
    seeds = min(int(row["seeds"]) for row in found["rows"] if row["representation"] == name and row.get("seeds"))
    middle, low, high = (gain[key] - points for key in ("gain", "low", "high"))
    difference = Difference(middle, low, high, int(gain["n"]), freedom=gain["n"] - 1)
    if not least:
        difference = Difference(-middle, -high, -low, int(gain["n"]), freedom=gain["n"] - 1)
    return Evidence(
        **about, difference=difference, seeds=seeds, preset=found["preset"], split="unseen fits", reports=(REPORT,),
        ours=(Value("gain", gain["gain"], (gain["high"] - gain["low"]) / 2, int(gain["n"])),),
        faults=(FEW,) if seeds < SEEDS else (),
    )  # fmt: skip


GROUP = Group(
    name="encoders", title="Beyond the paper: encoders of weights", place=11, claims=claims, further=(REPORT,),
    intro="Each fit has a start of its own. The best encoder of either side is chosen on one half of the unseen fits "
    "and judged on the other, both ways round.",
)  # fmt: skip
