"""Numbers and records of claims in words."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from app.shared.palette import NAMES
from app.tabs.results.run import Cell, beyond, labelled
from wsr.data.splits import HELDOUT

PLUS_MINUS = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"
SMALL = 0.0001  # p values below it are not told apart
# What a record's further numbers are, in words; others are named as in the record.
MORE = {
    "samples": "generated samples compared",
    "training fits": "fits the generator learnt from",
    "series": "starts of the fits",
    "start cosine": "likeness of the two starts (cosine)",
    "start cosines": "likeness of the two starts (cosine), of each side",
    "standard deviations over runs": "standard deviation over the runs, of each side",
}
LEFT_OUT = "start cosines of all series"  # a table of its own, in REPRODUCTION.md


def number(value: Any, half: float | None = None) -> str:
    """A number with as many digits as are known: two digits of its interval, or else three of its own."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "–" if value is None else str(value)
    known = half or abs(value) / 10
    places = 0 if known == 0 or value == int(value) and not half else max(0, min(5, 1 - math.floor(math.log10(known))))
    return f"{value:z,.{places}f}".replace("-", "−")


def side(value: Mapping[str, Any]) -> str:
    """A value with half of its interval: "34.73 ± 0.53"."""
    mean, half = value.get("mean", value.get("ours")), value.get("half")
    return number(mean, half) + (f"{PLUS_MINUS}{number(half, half)}" if half else "")


def printed(value: float | int) -> str:
    """A number of the paper, with the digits that it prints."""
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def sentence(text: str) -> str:
    """A text of a record as a sentence of its own."""
    text = labelled(text)
    name = text.startswith(tuple(NAMES.values()))  # which is written as it is
    return (text if name else text[:1].upper() + text[1:]) + ("" if text.endswith((".", "?")) else ".")


def gain(found: Mapping[str, Any] | None) -> str:
    """By how much the paper's order holds: "0.56 (0.37 to 0.75)"."""
    if found is None:
        return "not measured"
    low, high, half = found["low"], found["high"], (found["high"] - found["low"]) / 2
    if exact(found):
        return "holds exactly" if found["mean"] > 0 else "does not hold"
    return f"{number(found['mean'], half)} ({number(low, half)} to {number(high, half)})"


def exact(found: Mapping[str, Any]) -> bool:
    """Whether a difference has been computed and not measured."""
    return found["low"] == found["high"]


def chance(p: float | None) -> str:
    if p is None:
        return "–"
    return f"below {SMALL}" if p < SMALL else f"{p:.2g}"


def facts(claim: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A claim's record as lines: name and value, without what there is not."""
    found = claim.get("difference") or {}
    lines = [
        *((f"the paper’s {labelled(name)}", printed(value)) for name, value in claim["paper"].items()),
        *((f"our {labelled(value['name'])}", side(value)) for value in claim.get("ours", ())),
        ("what was measured", labelled(claim.get("measure") or "")),
    ]
    if found and not exact(found):
        lines += [
            (f"in the {'statement' if beyond(claim) else 'paper'}’s favour by (95 % interval)", gain(found)),
            ("chance of this if both were equal (p)", chance(found.get("p"))),
            ("the same for all claims of the table at once (Holm)", chance(found.get("p by Holm"))),
        ]
    return [(name, text) for name, text in (*lines, *setting(claim), *_more(claim)) if text and text != "–"]


def setting(claim: Mapping[str, Any]) -> list[tuple[str, str]]:
    """On what a claim was measured, as lines."""
    told = (("data", "data"), ("split", "split"), ("n", "values compared (n)"), ("seeds", "seeds"),
            ("preset", "preset"), ("features", "features"))  # fmt: skip
    return [(words, number(claim[key]) if isinstance(claim[key], int) else claim[key].replace(HELDOUT, "held out"))
            for key, words in told if claim.get(key)]  # fmt: skip


def _more(claim: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = {key: value for key, value in claim.get("more", {}).items() if key != LEFT_OUT}
    return [
        (labelled(MORE.get(key, key)), ", ".join(map(number, value)) if isinstance(value, list) else number(value))
        for key, value in found.items()
        if not isinstance(value, dict)
    ]


def commands(claims: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(one["command"] for one in claims if one.get("command")))


def hint(cell: Cell) -> str:
    """What a cell tells before it is opened: its command, seeds, n, preset and features."""
    record, about = cell.record, cell.claims
    ours = [("values (n)", record.get("count")), ("seeds", record.get("seeds"))]
    shared = [(key, next((one[key] for one in about if one.get(key)), None)) for key in ("preset", "features")]
    told = [f"{name}: {number(value)}" for name, value in (*ours, *shared) if value is not None]
    if record.get("ours") is None:
        told = ["not measured yet"]
    return " · ".join([f"{record['row']}, {record['column']}", *commands(about)[:1], *told])


def reasons(claim: Mapping[str, Any]) -> list[str]:
    """Why a claim is open or not comparable, in sentences."""
    told = [sentence(text) for text in claim.get("reasons", ())]
    level = claim["verdict"] == "open" and claim.get("difference") and not told
    return ["The interval has 0 in it, or has it once all claims of the table are judged together."] if level else told
