"""Figures that show pictures: 4 and 8 to 10 (samples) and 5 (maps)."""

from precompute.claims.claim import INCOMPARABLE, Claim, Evidence, Fault, Group
from precompute.claims.reports import Reports

LOOKED_AT = Fault(INCOMPARABLE, "it is judged by eye, and no number is printed")

# Id, what the figure is said to show, where, and the command that makes our pictures.
SHOWN = (
    ("figure4.shapes", "samples of mLoRA and mLoRA-Asym show shapes with detail, samples of additive adapters none",
     "Figures 4, 8 and 9", "wsr reproduce audits"),
    ("figure4.faces", "samples of mLoRA and mLoRA-Asym show faces, and samples of HyperDiffusion show none",
     "Figures 4 and 10", "wsr reproduce audits --data faces"),
    ("figure5", "in t-SNE only multiplicative adapters separate the ten categories clearly", "Figure 5",
     "wsr reproduce maps"),
)  # fmt: skip


EYES = Evidence(data="shapes10, faces", faults=(LOOKED_AT,))


def claims(reports: Reports) -> list[Claim]:
    return [
        Claim(id=name, says=says, where=where, command=command, evidence=EYES) for name, says, where, command in SHOWN
    ]


GROUP = Group(name="figures", title="Figures 4, 5 and 8 to 10: pictures", place=8, claims=claims)
