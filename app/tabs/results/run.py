"""Content of the Results tab: the claims of the paper with their verdicts, as `wsr reproduce claims` has written them
to claims.json. Nothing here judges a claim."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.shared import library
from app.shared.palette import NAMES
from wsr.errors import unknown_name

REPORT = "claims"
KEYS = ("rule", "counts", "groups", "claims", "cells", "scope")
# Groups that have no table of the paper are shown together.
OTHERS, TOGETHER = "others", ("theorems", "figures", "limitations", "statements")
ALL = ""  # the verdict of a visitor who wants to see all claims
KINDS = {label: name for name, label in NAMES.items()}  # representations by the names that people read
DIGITS = "{:.6g}"  # of the numbers in a claim's record; cells have all digits


@dataclass(frozen=True)
class Verdict:
    """A verdict as the page shows it. answer: what it means for a question that a yes would confirm. why: what it means
    in one sentence."""

    name: str
    mark: str
    answer: str
    why: str


def beyond(claim: Mapping[str, Any]) -> bool:
    """Whether a claim is ours and none of the paper's."""
    return claim["where"].startswith("not in the paper")


VERDICTS = {
    one.name: one
    for one in (
        Verdict("confirmed", "✓", "Yes.", "Our measurements show what the paper says."),
        Verdict("refuted", "✗", "No.", "Our measurements show the opposite of what the paper says."),
        Verdict("open", "?", "Not known yet.", "Our measurements do not decide it."),
        Verdict("not comparable", "–", "Cannot be said.", "We have measured something else than the paper has."),
    )
}


@dataclass(frozen=True)
class First:
    """A claim of the first screen. claim: its id; question: what a visitor wants to know; finding: a sentence with a
    place for each of our two values."""

    claim: str
    question: str
    finding: str


# What the README's "What we found" leads with. Verdicts and numbers come from the claims' records.
FIRST = (
    First(
        "table1.ffhq_psnr.faces.lora>mlp",
        "Does an adapter redraw a face better than a network of its own?",
        "LoRA, an adapter, reaches {0} dB of PSNR, and a standalone MLP {1} dB. More is better.",
    ),
    First(
        "table1.ffhq_psnr.faces.mlora-asym>lora",
        "Does the paper's own method redraw a face better than a plain adapter?",
        "mLoRA-Asym, that method, reaches {0} dB of PSNR, and LoRA, the plain adapter, {1} dB. More is better.",
    ),
    First(
        "figure3.steady.mlora-asym",
        "Does a shape survive halfway between two fits of it, wherever they start?",
        "Halfway between two fits of mLoRA-Asym, {0} of IoU is lost if their starts were independent, and {1} if both "
        "began at one start.",
    ),
    First(
        "figure3.barrier.mlora-asym>mlora",
        "Does the mask lower what is lost halfway between two fits?",
        "Halfway between two fits, {0} of IoU is lost with the mask (mLoRA-Asym), and {1} without it (mLoRA).",
    ),
    First(
        "table3.multi.fd.mlora-asym>mlp",
        "Is the FD of new shapes lower with weights of the paper's method?",
        "New shapes have an FD of {0} from real ones if it learnt from weights of mLoRA-Asym, and {1} from those of "
        "MLPs. Less is better.",
    ),
)


@dataclass(frozen=True)
class Cell:
    """A cell of a table. id: as in links. claims: the records of the claims that compare it with another cell."""

    id: str
    record: Mapping[str, Any]
    claims: Sequence[Mapping[str, Any]]

    @property
    def row(self) -> str:
        """What its row is about, without the part of the data in brackets."""
        return row_and_part(self.record)[0]

    @property
    def kind(self) -> str:
        """The representation that its row is about, "" if it is about none."""
        return KINDS.get(self.row, "")

    def counts(self) -> Counter:
        return Counter(one["verdict"] for one in self.claims)


def row_and_part(record: Mapping[str, Any]) -> tuple[str, str]:
    """Splits the row of a cell's record, such as "MLP (airplanes)", into what it is about and the part of the data."""
    row, _, part = record["row"].partition(" (")
    return row, part


def names() -> list[str]:
    """The reports that the tab shows: one, or none if it has not been made or is not what this version reads."""
    found = library.report(REPORT)
    return [REPORT] if all(key in found for key in KEYS) else []


def report() -> Mapping[str, Any]:
    """The content of claims.json. WsrError if it is not there."""
    if not names():
        raise unknown_name("report", REPORT, names())
    return library.report(REPORT)


def tables() -> list[tuple[str, str]]:
    """Short titles and names of what can be shown: the paper's tables and figures, and the other statements."""
    own = [one for one in report()["groups"] if one["name"] not in TOGETHER]
    return [(one["title"].split(":")[0], one["name"]) for one in own] + [("Other statements", OTHERS)]


def groups(table: str) -> list[Mapping[str, Any]]:
    """The groups of a table, whose name may come from the page. WsrError for an unknown one."""
    if table not in (known := [name for _, name in tables()]):
        raise unknown_name("table", str(table), known)
    chosen = TOGETHER if table == OTHERS else (table,)
    return [one for one in report()["groups"] if one["name"] in chosen]


def checked(verdict: str) -> str:
    """A verdict that may come from the page, or ALL. WsrError for an unknown one."""
    if verdict != ALL and verdict not in VERDICTS:
        raise unknown_name("verdict", str(verdict), list(VERDICTS))
    return verdict


def claims(table: str, verdict: str = ALL) -> list[Mapping[str, Any]]:
    """The claims of a table with this verdict."""
    inside = [one["name"] for one in groups(table)]
    return [one for one in report()["claims"] if one["group"] in inside and verdict in (ALL, one["verdict"])]


def cells(table: str) -> list[Cell]:
    """The cells of a table, in the paper's order."""
    inside = [one["name"] for one in groups(table)]
    own = [one for one in report()["cells"] if one["group"] in inside]
    stated = claims(table)
    return [Cell(f"{one['group']}/{i}", one, _about(one, own, stated)) for i, one in enumerate(own, 1)]


def _about(cell: Mapping[str, Any], own: Sequence[Mapping[str, Any]], stated: Sequence[Mapping[str, Any]]) -> list:
    """The claims that compare this cell: those that quote the paper's number for its row. Where that is the number of
    several cells, they quote ours as well; a claim that has no number of ours is about the cell that has none either,
    or else about all of them."""
    same = [one for one in own if (one["row"], one["paper"]) == (cell["row"], cell["paper"])]
    alone, empty = len(same) == 1, any(one["ours"] is None for one in same)
    return [
        claim
        for claim in stated
        for name, paper in claim["paper"].items()
        if paper == cell["paper"] and labelled(name) == labelled(row_and_part(cell)[0])
        if alone or _same(_ours(claim, name), cell["ours"]) or not (claim.get("ours") or empty)
    ]


def labelled(text: str) -> str:
    """Replaces the names of representations in a text by those that people read."""
    known = "|".join(map(re.escape, sorted(NAMES, key=len, reverse=True)))
    return re.sub(rf"(?<![\w-])({known})(?![\w-])", lambda found: NAMES[found[0]], text)


def _ours(claim: Mapping[str, Any], name: str) -> float | None:
    return next((side["mean"] for side in claim.get("ours", ()) if side["name"] == name), None)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return DIGITS.format(one) == DIGITS.format(other)


def claim(name: str) -> Mapping[str, Any]:
    """The record of a claim, whose id may come from the page. WsrError for an unknown one."""
    for one in report()["claims"]:
        if one["id"] == name:
            return one
    raise unknown_name("claim", str(name), [one.claim for one in FIRST])


def picked(name: str) -> Cell | Mapping[str, Any]:
    """The cell or the record of a claim with this id, which may come from the page. WsrError for an unknown one."""
    table = str(name).rpartition("/")[0]
    if table in [one["name"] for one in report()["groups"]]:
        for cell in cells(table if table not in TOGETHER else OTHERS):
            if cell.id == name:
                return cell
    return claim(name)


def table_of(found: Cell | Mapping[str, Any]) -> str:
    """The name of the table in which a cell or claim is shown."""
    group = found.record["group"] if isinstance(found, Cell) else found["group"]
    return OTHERS if group in TOGETHER else group


def first_pick(table: str) -> str:
    """What is open before a visitor has picked anything: the first claim that is decided, or else the first one."""
    there = claims(table)
    decided = [one for one in there if one["verdict"] in ("confirmed", "refuted")]
    return (decided or there)[0]["id"] if there else ""


def measured(claim: Mapping[str, Any]) -> bool:
    """Whether there is a number of ours, or a whole statement that consists of other claims."""
    return bool(claim.get("parts") or claim.get("ours") or claim.get("difference"))
