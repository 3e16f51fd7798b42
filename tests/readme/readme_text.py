"""Reads the tables and sentences of the README, of the manual, and of what was measured."""

import json
import re
from pathlib import Path

import wsr
from wsr.fields.registry import named
from wsr.paths import assets_dir

ROOT = Path(__file__).resolve().parents[2]
README, MANUAL, MEASURED = ((ROOT / name).read_text() for name in ("README.md", "MANUAL.md", "MEASURED.md"))
TEXT = f"{README}\n{MANUAL}\n{MEASURED}"
FLAT = " ".join(TEXT.split())
LABELS = {named(name).label: name for name in wsr.representations}


def report(name: str):
    return json.loads((assets_dir() / "reports" / f"{name}.json").read_text())


def table(title: str, number: int = 0) -> dict[str, list[str]]:
    """Returns the cells of each row, by the first cell, of the `number`-th table below a heading, or below a line that
    begins with this text."""
    below = TEXT[TEXT.index(f"\n{title}") :]
    lines = re.findall(r"(?:^\|.*\n)+", below, re.M)[number].splitlines()[2:]
    return {first: cells for first, *cells in map(cells_of, lines)}


def cells_of(line: str) -> list[str]:
    return [cell.strip().replace("**", "").strip("*") for cell in line.strip().strip("|").split("|")]


def numbers(text: str) -> list[tuple[float, float]]:
    """Returns the numbers of a text, each with half a unit of its last digit."""
    found = re.findall(r"[−-]?\d[\d,]*(?:\.\d+)?", text.replace("bf16", "").replace("fp32", ""))
    return [(float(one.replace("−", "-").replace(",", "")), 0.5 * 10.0 ** -len(one.partition(".")[2])) for one in found]


def is_said(cell: str, *values: float) -> None:
    """Asserts that a cell states these numbers and no others, rounded to the digits that it gives."""
    told = numbers(cell)
    assert len(told) == len(values), (cell, values)
    for (number, half), value in zip(told, values, strict=True):
        assert abs(number - value) <= half * 1.001, (cell, values)


def says(*phrases: str) -> None:
    for phrase in phrases:
        assert phrase in FLAT, phrase
