"""The rule by which every claim gets its verdict. No other code, and no text, decides about a claim."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from precompute.claims.claim import INCOMPARABLE, OPEN, Claim, Fault, Value
from wsr.stats import Difference, Judgement, holm, judged, together

RULE = (
    "A claim is about an order: one value is better than another. Our reports give the difference of the two on our "
    "data, with its 95 % confidence interval: paired on the same instances or targets, by Welch's t test between "
    "seeds, and with Nadeau and Bengio's correction between splits that overlap (`wsr/stats.py`).",
    "If the difference was not measured, the claim is **open**.",
    "If what was measured is another experiment than the paper's (another start, other data, weights that were "
    "preprocessed), it is **not comparable**, and the reason says what differs. Faces, `shapes10` and its airplanes "
    "stand for FFHQ, ShapeNet's ten categories and its airplanes: an order of representations can hold on them as "
    "well or fail, and is judged; the numbers themselves are never compared, since data, sizes and features are "
    "others.",
    "If it is the paper's experiment, but one side had an advantage (its settings were chosen by the values that are "
    "compared, or the order would be another at each side's own best learning rate), if a side has fewer than "
    "three seeds where training is random, if a second run with the same settings moved a side by as much or did not "
    "decide alike, or if what a mask does is told from one mask, it is **open** with that reason.",
    "Otherwise it is **confirmed** if the whole interval is on the paper's side and **refuted** if it is on the other "
    "side, where all claims of one table or figure that were measured are judged together, those that stay open for "
    "another reason among them: Holm's correction keeps the chance of even one wrong verdict among them at 5 %. Else "
    "it is **open**.",
    "Seeds are those of trainings, and of splits in Table 4. In Tables 1 and 4 and in Figure 3 each representation has "
    "one base, one start and one mask: the intervals say what other instances would change, and not what other masks "
    "would.",
    "What is computed and not measured (a count of weights, an identity) has no interval: it holds or not.",
    "A statement that consists of several claims is confirmed if all of them are, refuted if one is, not comparable "
    "if all are, and else open.",
)
"""The rule in sentences, as REPRODUCTION.md has it."""


def judge(claims: Sequence[Claim], earlier: Mapping[str, Judgement]) -> list[dict[str, Any]]:
    """The records of a group of claims, which are judged together. earlier: verdicts of other groups, by id, of which
    statements may consist."""
    family = [claim for claim in claims if not claim.parts and claim.evidence.difference is not None]
    differences = [claim.evidence.difference for claim in family]
    words = dict(zip((claim.id for claim in family), judged(differences), strict=True))
    words = {claim.id: words[claim.id] for claim in family if not claim.evidence.faults}
    adjusted = dict(zip((claim.id for claim in family), holm(differences), strict=True))
    verdicts: dict[str, Judgement] = {**earlier}
    verdicts |= {claim.id: words.get(claim.id) or _hindered(claim) for claim in claims if not claim.parts}
    for claim in claims:
        if claim.parts:
            verdicts[claim.id] = together([verdicts[part] for part in claim.parts])
    return [_record(claim, verdicts[claim.id], adjusted.get(claim.id, math.nan)) for claim in claims]


def _hindered(claim: Claim) -> Judgement:
    """The verdict on a claim that nothing decides: another experiment weighs more than a weak one."""
    found = {fault.verdict for fault in claim.evidence.faults}
    return INCOMPARABLE if INCOMPARABLE in found else OPEN


def _record(claim: Claim, verdict: Judgement, p: float) -> dict[str, Any]:
    """A claim as JSON."""
    record: dict[str, Any] = {"id": claim.id, "claim": claim.says, "where": claim.where, "paper": dict(claim.paper)}
    if claim.parts:
        return record | {"parts": list(claim.parts), "verdict": verdict, "headline": claim.headline}
    found = claim.evidence
    return record | {
        "measure": found.measure,
        "ours": [_value(value) for value in found.ours],
        "difference": _difference(found.difference, p),
        "n": None if found.difference is None or math.isnan(found.difference.freedom) else found.difference.count,
        "seeds": found.seeds, "data": found.data, "preset": found.preset, "split": found.split,
        "features": found.features, "verdict": verdict, "reasons": [fault.reason for fault in _told(found.faults)],
        "notes": list(found.notes), "more": dict(found.more), "reports": list(found.reports), "command": claim.command,
    }  # fmt: skip


def _told(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.verdict == OPEN)  # those that make a claim incomparable first


def _value(value: Value) -> dict[str, Any]:
    return {key: _rounded(one) for key, one in asdict(value).items()}


def _difference(found: Difference | None, p: float) -> dict[str, float | None] | None:
    if found is None:
        return None
    values = {"mean": found.mean, "low": found.low, "high": found.high, "p": found.p, "p by Holm": p}
    return {key: _rounded(value) for key, value in values.items()}


def _rounded(value: Any) -> Any:
    """A number with the digits that a reader could use; None for NaN, which JSON does not have."""
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else float(f"{value:.6g}")
