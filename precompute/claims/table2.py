"""Table 2: generation of pictures. Faces stand for FFHQ."""

from precompute.claims.claim import Claim, Group
from precompute.claims.generation import Half, cells, order_claims, reports_of, searches_of, stated
from precompute.claims.large import large_claims, report_of, zoo_of
from precompute.claims.reports import Reports
from precompute.tables import PAPER

HALF = Half("table2", "FFHQ", PAPER["table2_generation_ffhq"], "faces", "Table 2, section 4.3", "wsr reproduce table2")
BASELINE, PLAIN, *_ADDITIVE, MULTIPLICATIVE, BEST = PAPER["representations"]
TEXT = ((MULTIPLICATIVE, BASELINE),)  # "both mLoRA and mLoRA-Asym manage", where HyperDiffusion fails


def claims(reports: Reports) -> list[Claim]:
    return [*order_claims(reports, HALF, stated(HALF, TEXT)), *large_claims(reports, HALF)]


GROUP = Group(
    name="table2",
    title="Table 2: generation of pictures",
    place=2,
    claims=claims,
    cells=lambda reports: cells(reports, HALF),
    reports=(report_of(HALF), *reports_of(HALF)),
    further=(zoo_of(HALF), *searches_of(HALF)),
    intro="The paper learns from 5,000 faces of FFHQ and compares 2,048 samples by CLIP's features. Here drawn faces "
    "are compared by those of EfficientNet-Lite0.",
)
