"""The Results tab as HTML and small SVG pictures, by the templates in results.html."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from app.shared.palette import COLOURS, NAMES, OTHER_COLOUR, representation_line
from app.shell.snippets import explained
from app.tabs.results import run, seen, words
from app.tabs.results.run import VERDICTS, Cell, Verdict

VERDICT_COLOURS = {
    "confirmed": COLOURS["green"],
    "refuted": COLOURS["vermillion"],
    "open": OTHER_COLOUR,
    "not comparable": COLOURS["blue"],
}
EDGE = 5.0  # percent of a picture's width that stay free at both ends
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Bar:
    """A value with its interval, in percent of a picture's width. low, high: None if it has no interval. line: the
    colour and dash of what it is a value of."""

    mean: float
    low: float | None
    high: float | None
    line: Mapping[str, str]
    name: str = ""
    text: str = ""


def _made(macro: str, *values: Any) -> str:
    return str(getattr(_macros, macro)(*values))


def _line(name: str) -> Mapping[str, str]:
    """The line of a value, by its name: that of the representation with which it begins."""
    known = next((one for one in sorted(NAMES, key=len, reverse=True) if name.startswith(one)), name)
    found = representation_line(known)
    return {"color": found["color"], "dash": "0" if found["dash"] == "solid" else "3 2"}


def against_zero(claim: Record) -> Bar | None:
    """The difference of a claim with its interval, on an axis with 0 in the middle. None where there is no interval to
    draw."""
    found = claim.get("difference")
    if found is None or words.exact(found):
        return None
    reach = max(abs(found["low"]), abs(found["high"])) or 1.0

    def place(value: float) -> float:
        return 50 + (50 - EDGE) * value / reach

    line = {"color": VERDICT_COLOURS[claim["verdict"]], "dash": "0"}
    return Bar(place(found["mean"]), place(found["low"]), place(found["high"]), line, text=words.gain(found))


def bars(values: Sequence[tuple[str, float, float | None]]) -> list[Bar]:
    """Values with half of their intervals, on one axis from the lowest to the highest."""
    low = min((mean - (half or 0) for _, mean, half in values), default=0.0)
    high = max((mean + (half or 0) for _, mean, half in values), default=0.0)

    def place(value: float) -> float:
        return 50.0 if high == low else EDGE + (100 - 2 * EDGE) * (value - low) / (high - low)

    return [
        Bar(place(mean), place(mean - half) if half else None, place(mean + half) if half else None, _line(name),
            run.labelled(name), words.side({"mean": mean, "half": half}))
        for name, mean, half in values
    ]  # fmt: skip


def sides(claim: Record) -> list[Bar]:
    """Both values of a claim, on one axis."""
    return bars([(one["name"], one["mean"], one.get("half")) for one in claim.get("ours", ())])


def first(chosen: str) -> str:
    """The first screen: what a visitor wants to know, one card for each claim. chosen: the id of what is open."""
    known = {one["id"]: one for one in run.report()["claims"]}
    there = [(one, known[one.claim]) for one in run.FIRST if one.claim in known]
    return _made("first", [(one, claim, _found(one, claim)) for one, claim in there], chosen)


def _found(one: run.First, claim: Record) -> str:
    ours = [words.side(value) for value in claim.get("ours", ())]
    return one.finding.format(*ours) if len(ours) > 1 else "Nothing has been measured for it yet."


def table(name: str, verdict: str, chosen: str) -> str:
    """A table of the paper beside ours. Of another group, what to know about it."""
    own = run.cells(name)
    columns = list(dict.fromkeys(cell.record["column"] for cell in own))
    rows = list(dict.fromkeys(cell.record["row"] for cell in own))
    grid = [(row, [_cell(own, row, column) for column in columns]) for row in rows]
    together: dict[tuple[str, str], list[Cell]] = {}  # a column's airplanes are not on the axis of its ten categories
    for cell in own:
        together.setdefault((cell.record["column"], run.row_and_part(cell.record)[1]), []).append(cell)
    scales = {name: pair for cells in together.values() for name, pair in _scale(cells).items()}
    intros = [(one["title"], one.get("intro", "")) for one in run.groups(name)]
    return _made("table", intros, (columns, grid, scales), (verdict, chosen))


def claims(name: str, verdict: str, chosen: str) -> str:
    """The claims of a table with this verdict, one by one."""
    found, said = run.claims(name, verdict), _counted(run.claims(name), verdict)
    measured, lacking = ([one for one in found if run.measured(one) == there] for there in (True, False))
    scope = run.report()["scope"] if name == run.OTHERS else ()
    return _made("claims", measured, lacking, said, chosen, scope)


def _cell(own: Sequence[Cell], row: str, column: str) -> Cell | None:
    return next((one for one in own if (one.record["row"], one.record["column"]) == (row, column)), None)


def _scale(column: Sequence[Cell]) -> dict[str, tuple[Bar, Bar | None]]:
    """The paper's value and ours of each cell of a column, each on an axis of its own, by the cell's id."""

    def name(cell: Cell) -> str:
        return cell.kind or cell.row

    ours = [cell for cell in column if cell.record["ours"] is not None]
    mine = bars([(name(cell), cell.record["ours"], cell.record["half"]) for cell in ours])
    theirs = bars([(name(cell), cell.record["paper"], None) for cell in column])
    drawn = dict(zip((cell.id for cell in ours), mine, strict=True))
    return {cell.id: (bar, drawn.get(cell.id)) for cell, bar in zip(column, theirs, strict=True)}


def _counted(every: Sequence[Record], verdict: str) -> str:
    """How many claims of a table have which verdict; where a verdict is asked for that none has, where it is found."""
    counts = Counter(one["verdict"] for one in every)
    said = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    if verdict == run.ALL or counts[verdict]:
        return f"{len(every)} claims are stated here: {said}."
    there = [(title, len(run.claims(name, verdict))) for title, name in run.tables()]
    found = ", ".join(f"{title} ({count})" for title, count in there if count)
    return f"No claim of this table is {verdict}. " + (f"Such claims are in: {found}." if found else "")


def rule() -> str:
    """How a verdict is made: in one line, and behind it the rule as it is applied."""
    found = run.report()
    return _made("rule", found["rule"], found.get("preset", ""))


def record(name: str) -> str:
    """What a cell or a claim is made of."""
    if not name:
        return ""
    found = run.picked(name)
    if isinstance(found, Cell):
        return _of_cell(found)
    parts = [run.claim(part) for part in found.get("parts", ())]
    pictures = against_zero(found), sides(found)
    made_of = parts or [found]
    return _made("claim", found, parts, pictures, words.facts(found), (words.commands(made_of), seen.links(made_of)))


def _of_cell(cell: Cell) -> str:
    about = cell.claims
    lines = [("the paper’s number", words.printed(cell.record["paper"])), ("ours", words.side(cell.record))]
    lines += [("values (n)", cell.record["count"]), ("seeds", cell.record["seeds"])]
    shared = {key: value for one in reversed(about) for key, value in words.setting(one) if key in
              ("data", "split", "preset", "features")}  # fmt: skip
    told = [(key, str(value)) for key, value in (*lines, *shared.items()) if value is not None]
    made = words.commands(about) or [f"wsr reproduce {cell.record['group']}"]
    return _made("cell", cell, told, made[:1], seen.links(about, cell.kind))


def _marks(counts: Mapping[str, int]) -> list[tuple[Verdict, int]]:
    return [(one, counts[name]) for name, one in VERDICTS.items() if counts.get(name)]


def _environment() -> Environment:
    made = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True,
                       lstrip_blocks=True)  # fmt: skip
    filters: Iterable = (explained, against_zero, sides, words.side, words.printed, run.labelled, words.sentence,
                         words.hint, words.reasons, words.exact, words.gain, run.beyond, _marks)  # fmt: skip
    made.filters |= {one.__name__.lstrip("_"): one for one in filters}
    made.globals |= {"verdicts": VERDICTS, "colours": VERDICT_COLOURS}
    return made


_macros = _environment().get_template("results.html").module
