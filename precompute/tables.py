"""Reports as tables, that grow row by row, and the paper's own beside them."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from wsr.paths import assets_dir, atomic_path

PAPER = json.loads((Path(__file__).parent / "paper.json").read_text())


class Report:
    """assets/reports/<name>.json, with `about` beside its rows, and .md. A run that is resumed finds its rows there."""

    def __init__(self, name: str, **about: Any):
        self.path, self.about = assets_dir() / "reports" / f"{name}.json", about
        self.rows: list[dict] = json.loads(self.path.read_text())["rows"] if self.path.exists() else []

    def has(self, **values: Any) -> bool:
        """Whether there is a row with these."""
        return any(all(row.get(key) == value for key, value in values.items()) for row in self.rows)

    def add(self, *rows: dict) -> None:
        self.rows += rows
        print(rows[-1], flush=True)
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps({**self.about, "rows": self.rows}, indent=1))
        with atomic_path(self.path.with_suffix(".md")) as temporary:
            temporary.write_text(markdown(pd.DataFrame(self.rows)))


def markdown(table: pd.DataFrame) -> str:
    shown = table.round(3).astype(object).where(table.notna(), "–")
    lines = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
