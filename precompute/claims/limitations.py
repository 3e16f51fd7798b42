"""Section 5: the limitations that the paper states."""

from precompute.claims.claim import OPEN, Claim, Evidence, Fault, Group, Value, not_measured
from precompute.claims.reports import Reports
from precompute.tables import PAPER

DATA = ("emoji", "shapes10")
ONCE = Fault(OPEN, "the seconds of a fit were measured once, so that there is no interval")


def claims(reports: Reports) -> list[Claim]:
    return [*(_cost(reports, data) for data in DATA), *map(_untried, UNTRIED)]


def _cost(reports: Reports, data: str) -> Claim:
    mlp, best = PAPER["representations"][0], PAPER["representations"][-1]
    found, about = reports("table1"), {"measure": "seconds of a fit, in a batch", "data": data}
    rows = {row["representation"]: row.get(f"{data} seconds") for row in (found["rows"] if found else ())}
    evidence = Evidence(**about, faults=(not_measured("table1.json has no seconds"),))
    if rows.get(mlp) and rows.get(best):
        ours = tuple(Value(name, rows[name]) for name in (best, mlp))
        evidence = Evidence(**about, ours=ours, seeds=1, preset=found["preset"], reports=("table1",), faults=(ONCE,))
    return Claim(
        id=f"limitation.cost.{data}",
        says="to adapt a base costs more than to fit a small MLP",
        where="Section 5, first limitation",
        command="wsr bench fit " + data,
        evidence=evidence,
    )


# Id, the limitation, and why nothing here decides about it.
UNTRIED = (
    ("limitation.budget", "layers encode different levels, so that a rank of its own for each layer would help",
     "no experiment gives layers different ranks"),
    ("limitation.quality", "samples do not reach those of latent diffusion models of pictures",
     "no such model is compared here"),
)  # fmt: skip


def _untried(of: tuple[str, str, str]) -> Claim:
    name, says, why = of
    return Claim(id=name, says=says, where="Section 5", evidence=Evidence(faults=(not_measured(why),)))


GROUP = Group(
    name="limitations", title="Section 5: limitations", place=9, claims=claims, reports=("table1",)
)  # fmt: skip
