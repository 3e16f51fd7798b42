"""Table 5: the layer encoder of the diffusion transformer."""

from precompute.claims.claim import Claim, Group
from precompute.claims.generation import Half, cells, order_claims, reports_of, searches_of, stated
from precompute.claims.reports import Reports
from precompute.experiments.generation_tables import FLAT, WITH
from precompute.tables import PAPER

TABLE = PAPER["table5_ablation_layer_encoder_shapenet10"]
HALF = Half(
    "table5", "ten categories, mLoRA-Asym", {WITH: TABLE["with"], FLAT: TABLE["without"]}, "shapes10",
    "Table 5, section 10", "wsr reproduce table5",
)  # fmt: skip


def claims(reports: Reports) -> list[Claim]:
    return list(order_claims(reports, HALF, stated(HALF)))


GROUP = Group(
    name="table5",
    title="Table 5: the layer encoder",
    place=5,
    claims=claims,
    cells=lambda reports: cells(reports, HALF),
    reports=(*reports_of(HALF), *searches_of(HALF)),
    intro="The text says that the encoder improves all metrics; in the paper's own table mMD is lower without it. Ours "
    "know no classes and are not guided, as the paper's; networks were found with the same budget for both.",
)
