"""The numbers of MEASURED.md about encoders of weights are those of the reports."""

import json

import pytest

from tests.readme.readme_text import MEASURED
from wsr import encoders
from wsr.fields.registry import named
from wsr.paths import assets_dir

pytestmark = pytest.mark.once
SECTION = MEASURED.partition("## Encoders of weights")[2].partition("\n## ")[0]


# MEASURED.md calls an encoder by its name; the columns are representations by their labels
def table(number: int) -> dict[tuple[str, str], str]:
    """The cells of a table of the section, by encoder and representation."""
    found = [block for block in SECTION.split("\n\n") if block.startswith("|")][number]
    head, _, *lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in found.strip().splitlines()]
    return {(line[0], of): cell for line in lines for of, cell in zip(head[1:], line[1:], strict=True)}


REPORTS = ("arena-shapes10", "arena-permuted-shapes10", "arena-independent-shapes10", "arena-faces")


@pytest.mark.parametrize("number, report", enumerate(REPORTS))
def test_accuracies_are_those_of_the_report(number, report):
    rows = json.loads((assets_dir() / f"reports/{report}.json").read_text())["rows"]
    written = {(row["encoder"], named(row["representation"]).label): row for row in rows}
    shown = table(number)
    assert shown.keys() >= written.keys() and {encoder for encoder, _ in shown} == set(encoders.names())
    for key, cell in shown.items():
        row = written.get(key, {"why not": "it was not measured"})
        assert cell == ("–" if row.get("why not") else f"{row['accuracy']:.1f}"), key


def test_gains_from_independent_starts_are_those_of_the_report():
    gains = json.loads((assets_dir() / "reports/arena-independent-shapes10.json").read_text())["gains"]
    for row in gains:
        gain, low, high = (f"{row[key]:.1f}" for key in ("gain", "low", "high"))
        assert f"{gain} points" in SECTION and f"({low} to {high}" in SECTION
