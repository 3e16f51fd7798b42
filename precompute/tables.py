"""Reports as JSON, CSV and Markdown, and the paper's own tables beside ours."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from wsr.paths import atomic_path

PAPER = json.loads((Path(__file__).parent / "paper.json").read_text())


def write_json(path: Path, report: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1, ensure_ascii=False))


def write_tables(paths: Iterable[Path], rows: pd.DataFrame | list[dict], order: list[dict] = (), **about: Any) -> None:
    """Writes rows to each path, in the format of its ending: JSON (with `about` before the rows), CSV, or Markdown.
    order: rows that say which parts of the paper's order are confirmed; they go into JSON and Markdown only."""
    table, compared = pd.DataFrame(rows), pd.DataFrame(list(order))
    parts = {"rows": json.loads(table.to_json(orient="records"))}
    if len(compared):
        parts["order"] = json.loads(compared.to_json(orient="records"))
    for path in paths:
        if path.suffix == ".json":
            write_json(path, about | parts)
        elif path.suffix in (".csv", ".md"):
            text = table.to_csv(index=False) if path.suffix == ".csv" else markdown(table)
            if path.suffix == ".md" and len(compared):
                text += "\n" + markdown(compared)
            with atomic_path(path) as temporary:
                temporary.write_text(text)


def markdown(table: pd.DataFrame) -> str:
    shown = table.round(3).astype(object).where(table.notna(), "–")
    lines = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
