"""Table 3: generation of shapes. `shapes10` stands for ShapeNet's ten categories, its airplanes for ShapeNet's."""

from dataclasses import replace
from itertools import chain

from precompute.claims.claim import Cell, Claim, Group
from precompute.claims.generation import Half, cells, order_claims, reports_of, searches_of, stated
from precompute.claims.large import large_claims, report_of, zoo_of
from precompute.claims.reports import Reports
from precompute.tables import PAPER

TABLE = PAPER["table3_generation_shapenet"]
HALVES = (
    Half("table3.multi", "ten categories", TABLE["multi"], "shapes10", "Table 3, section 4.3", "wsr reproduce table3"),
    Half("table3.airplane", "airplanes", TABLE["airplane"], "shapes10/airplane", "Table 3, section 4.3",
         "wsr reproduce table3 --data shapes10/airplane"),
)  # fmt: skip
BASELINE, _, *ADDITIVE, MULTIPLICATIVE, BEST = PAPER["representations"]
# mLoRA is said to generate well too, and additive adapters to fail, behind HyperDiffusion.
TEXT = ((MULTIPLICATIVE, BASELINE), *((BASELINE, name) for name in ADDITIVE))


def claims(reports: Reports) -> list[Claim]:
    found = chain.from_iterable(order_claims(reports, half, stated(half, TEXT)) for half in HALVES)
    return [*found, *large_claims(reports, HALVES[0])]


def table(reports: Reports) -> list[Cell]:
    found = []
    for half in HALVES:
        found += [replace(cell, row=f"{cell.row} ({half.title})") for cell in cells(reports, half)]
    return found


GROUP = Group(
    name="table3",
    title="Table 3: generation of shapes",
    place=3,
    claims=claims,
    cells=table,
    reports=(report_of(HALVES[0]), *reports_of(HALVES[0]), *searches_of(HALVES[0])),
    further=(zoo_of(HALVES[0]), *reports_of(HALVES[1])),
    intro="The paper compares 2,048 samples with as many references, by the features of a PointNet++ and by Chamfer "
    "distances. Ours are compared by a PointNet++ trained on `shapes10`. Claims about two of HyperDiffusion, mLoRA and "
    "mLoRA-Asym are judged by generators without classes or guidance, as the paper's, beside shapes of the test split. "
    "The cells are those of the generators that the page shows, beside fits that no model has learnt from.",
)
