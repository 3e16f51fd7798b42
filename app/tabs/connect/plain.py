"""What there is to see halfway between pairs of fits, by their measured curves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.shared import library
from app.shared.pairs import OWN
from app.shared.palette import NAMES
from app.tabs.connect import run

if TYPE_CHECKING:
    from app.tabs.connect.run import Race

BEGUN = "Each representation has fitted this target twice, from two random starts. Walk from one fit to the other."
BY_SERVER = "The server draws these pictures, one for each α, so nothing plays here: move α yourself."
ALIKE = 0.99  # cosine of two starts above which they are called almost the same
Curve = Sequence[float]  # qualities at equal steps of α from 0 to 1


def halfway(curve: Curve) -> float:
    return curve[len(curve) // 2]


def loss(curve: Curve) -> float:
    """The barrier: how much quality is lost halfway between two fits."""
    return (curve[0] + curve[-1]) / 2 - halfway(curve)


def examples(dataset: str, count: int) -> list[str]:
    """Ids of the first targets to choose from. It begins with the one at which the representation with the smallest
    mean barrier is furthest ahead of all others."""
    ids, losses = run.examples(dataset, count), _losses(dataset)
    if len(losses) < 2:
        return ids
    keeper, *others = _ranked(losses)
    at = {item: i for i, item in enumerate(run.targets(dataset))}

    def lead(item: str) -> float:
        return min(losses[name][at[item]] for name in others) - losses[keeper][at[item]]

    plainest = max(ids, key=lead)
    return [plainest, *(item for item in ids if item != plainest)]


def over_all(of: "Race", first: str) -> str:
    """A sentence about the target that is shown first: why it is, and what all targets show together. "" for other
    targets, and for fits that did not begin at the usual starts."""
    losses = _losses(of.dataset)
    if of.init != OWN or of.target != first or len(losses) < 2:
        return ""
    keeper, second = _ranked(losses)[:2]
    least, more = (sum(losses[name]) / len(losses[name]) for name in (keeper, second))
    return (
        f"This target comes first because {NAMES[keeper]} is furthest ahead at it. Over all {len(losses[keeper])} it "
        f"loses {of.modality.in_short(least)} halfway on average, {NAMES[second]} {more:.{of.modality.decimals}f}."
    )


def _ranked(losses: dict[str, list[float]]) -> list[str]:
    """The representations, that with the smallest mean barrier first."""
    return sorted(losses, key=lambda name: sum(losses[name]))


def _losses(dataset: str) -> dict[str, list[float]]:
    """The barriers of all targets by representation, from each one's usual starts."""
    return {
        row["representation"]: list(map(loss, row["raw"]["curves"]))
        for row in library.report(f"figure3-{dataset}").get("rows", [])
        if (row["series"], row["lambda"]) == (OWN, 1.0) and "curves" in row["raw"]
    }


def look_at(of: "Race", aligned: bool) -> str:
    """A sentence that says where to look and what can be seen there; "" where there is nothing to compare."""
    middle = {name: halfway(lane.aligned_curve if aligned else lane.raw_curve) for name, lane in of.lanes.items()}
    if len(middle) < 2:
        return ""
    best = max(middle, key=middle.__getitem__)
    at = of.modality.in_short(middle[best])
    values = [value for name, value in middle.items() if name != best]
    ends = [f"{value:.{of.modality.decimals}f}" for value in (min(values), max(values))]
    others = f"{'the others are' if len(values) > 1 else 'the other one is'} at {' to '.join(dict.fromkeys(ends))}"
    if middle[best] < of.modality.poor:
        return f"Look halfway: no network there shows the target. {NAMES[best]} is at {at}, and {others}."
    return f"Look halfway: {NAMES[best]} still shows the target, at {at}, and {others}."


def starts(of: "Race") -> str:
    """A sentence about the representations whose two starts are almost the same: that their fits stay together says
    little. "" if there are none."""
    import torch  # the engine's, which the pairs have loaded

    cosine = torch.nn.functional.cosine_similarity
    found = {name: float(cosine(*lane.pair.starts, dim=0)) for name, lane in of.lanes.items()}
    near = [name for name, value in found.items() if value > ALIKE]
    if not near:
        return ""
    names = " and ".join(NAMES[name] for name in near)
    least = min(min(found[name] for name in near), 0.9999)  # so that rounding makes no two starts one
    return f"The two starts of {names} were almost the same (a cosine of {least:.4f})."
