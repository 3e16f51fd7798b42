"""Every claim of the paper with its verdict, from the reports of all other experiments.

`precompute.claims` holds the claims and the rule by which they are judged. This writes them for machines
(reports/claims.json, which the page shows) and for people (reports/REPRODUCTION.md). Both depend on the reports alone,
and are made anew whenever one of them has changed.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from precompute import claims as room
from precompute.claims import groups
from precompute.claims.reports import Reports, hashes
from precompute.claims.rule import RULE, judge
from precompute.claims.scope import PARTS
from precompute.experiment import Cell, Context, Experiment
from precompute.tables import PAPER, write_json
from wsr.identity import differences, files_hash
from wsr.paths import atomic_path

JSON, TEXT = "reports/claims.json", "reports/REPRODUCTION.md"
FOLDER = Path(room.__file__).parent
FEW = 6  # claims that were not measured, up to which a table has a row for each
WORDS = ("confirmed", "refuted", "open", "not comparable")


def run(cell: Cell, context: Context) -> None:
    found = gathered(context)
    write_json(context.path(JSON), found)
    with atomic_path(context.path(TEXT)) as temporary:
        temporary.write_text(written(found))


def gathered(context: Context) -> dict[str, Any]:
    """The content of claims.json: all claims with their verdicts, and the paper's tables beside ours."""
    verdicts, claims, cells = {}, [], []
    for group in groups():
        reports = Reports(context, (*group.reports, *group.further))
        records = judge(group.claims(reports), verdicts)
        verdicts |= {record["id"]: record["verdict"] for record in records}
        claims += [{"group": group.name, **record} for record in records]
        cells += [{"group": group.name, **asdict(cell)} for cell in group.cells(reports)]
    return {
        "paper": PAPER["source"], "preset": context.preset, "made of": made_of(context), "rule": list(RULE),
        "counts": {word: list(verdicts.values()).count(word) for word in WORDS},
        "groups": [{"name": one.name, "title": one.title, "intro": one.intro} for one in groups()],
        "claims": claims, "cells": cells, "scope": [part._asdict() for part in PARTS],
    }  # fmt: skip


def written(found: dict[str, Any]) -> str:
    """The content of REPRODUCTION.md, from that of claims.json alone."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    shown = (number, values, value, difference, printed, of_paper, starts)
    environment.filters |= {function.__name__: function for function in shown}
    verdicts = {one["id"]: one["verdict"] for one in found["claims"]}
    environment.filters["counted"] = lambda parts: _counted([verdicts[part] for part in parts])
    by_group = [
        {**group, "claims": [one for one in found["claims"] if one["group"] == group["name"]],
         "cells": [one for one in found["cells"] if one["group"] == group["name"]]}
        for group in found["groups"]
    ]  # fmt: skip
    for group in by_group:
        group["reasons"] = _letters(group["claims"])
        lacking = [one for one in group["claims"] if "ours" in one and not (one["ours"] or one["difference"])]
        group["lacking"] = lacking if len(lacking) > FEW else []
        group["counts"] = Counter(one["verdict"] for one in group["claims"])
        group["commands"] = list(dict.fromkeys(one["command"] for one in group["claims"] if one.get("command")))
    return environment.get_template("REPRODUCTION.md.jinja").render(found, by_group=by_group, words=WORDS)


def _letters(claims: Iterable[dict]) -> dict[str, str]:
    """A short name for each reason and note of a group's claims, so that a table can refer to them."""
    told = dict.fromkeys(text for claim in claims for text in (*claim.get("reasons", ()), *claim.get("notes", ())))
    return {text: str(place) for place, text in enumerate(told, 1)}


def _counted(verdicts: list[str]) -> str:
    """How many verdicts there are of each kind: "3 are confirmed, 1 is open"."""
    counts = {word: verdicts.count(word) for word in WORDS}
    return ", ".join(f"{count} {'is' if count == 1 else 'are'} {word}" for word, count in counts.items() if count)


def number(value: float | int | None, places: int | None = None) -> str:
    """A number as a reader wants it: three digits, or as many decimals as asked; a dash if there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if places is None and value == int(value):
        return f"{int(value):,}".replace("-", "−")
    if places is None:
        places = max(0, min(4, 2 - math.floor(math.log10(abs(value)))))
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.") else text.replace("-", "−")


def _places(half: float | None) -> int | None:
    """The decimals of a number that is known to ± half: two digits of half."""
    return max(0, min(5, 1 - math.floor(math.log10(half)))) if half else None


def values(sides: list[dict]) -> str:
    """Both sides of a comparison: "34.73 ± 0.53 and 32.44 ± 0.43"."""
    return " and ".join(map(value, sides)) or "–"


def value(side: dict) -> str:
    """One value: "34.73 ± 0.53"."""
    mean, half = side.get("mean", side.get("ours")), side["half"]
    places = _places(half)
    return number(mean, places) + (f" ± {number(half, places)}" if half else "")


def difference(found: dict | None) -> str:
    """A difference with its interval: "0.39 (0.30 to 0.48)"."""
    if found is None:
        return "–"
    if found["p"] is None and found["low"] == found["high"]:
        return "holds exactly" if found["mean"] > 0 else "does not hold"
    places = _places((found["high"] - found["low"]) / 2)
    mean, low, high = (number(found[name], places) for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def of_paper(paper: dict) -> str:
    """The paper's numbers: "36.91 against 35.11"."""
    return " against ".join(printed(one) for one in paper.values() if isinstance(one, float | int)) or "–"


def printed(number: float | int) -> str:
    """A number of the paper, with the digits that it prints."""
    return f"{number:,}"


def starts(more: dict) -> str:
    """Which starts a comparison of fits is about: " (starts `normal`, cosines 0.00 and −0.04)"."""
    if "series" not in more:
        return ""
    cosines = more.get("start cosines") or [more.get("start cosine")]
    return f" (starts `{more['series']}`, cosines {' and '.join(number(one, 2) for one in cosines)})"


def made_of(context: Context) -> dict[str, str]:
    """What the claims depend on: every report that exists, and the room itself, as the beginnings of hashes."""
    code = files_hash(sorted(path for path in FOLDER.iterdir() if path.is_file()))[:16]
    return {"precompute/claims": code, **hashes(context, _declared(True))}


def _declared(further: bool) -> tuple[str, ...]:
    found = [name for group in groups() for name in (*group.reports, *(group.further if further else ()))]
    return tuple(dict.fromkeys(found))


def changed(cell: Cell, context: Context) -> list[str]:
    """What has changed since claims.json was written, in words."""
    told = json.loads(context.path(JSON).read_text())
    return differences(told.get("made of", {}), made_of(context))


EXPERIMENT = Experiment(
    name="claims",
    title="`reports/claims.json`, `reports/REPRODUCTION.md`: every claim of the paper, and what our reports say about "
    "it",
    grid={},
    uses=lambda cell, context: [f"reports/{name}.json" for name in _declared(False)],
    settings=lambda cell, context: {"made of": made_of(context)},
    makes=(JSON, TEXT),
    changed=changed,
    run=run,
    gathers=True,
    presets=("cpu",),
    place=22,
    size="0.5 MB",
    time="10 s",
)
