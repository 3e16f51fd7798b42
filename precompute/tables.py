"""Reports as tables, and the paper's own beside them."""

import json
from pathlib import Path

import pandas as pd

PAPER = json.loads((Path(__file__).parent / "paper.json").read_text())


def markdown(table: pd.DataFrame) -> str:
    shown = table.round(3).astype(object).where(table.notna(), "–")
    lines = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
