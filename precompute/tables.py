"""Reports as tables, that grow row by row, and the paper's own beside them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from wsr import representations
from wsr.data.signals import Signals
from wsr.fields.checkpoint import load_base
from wsr.identity import Identity, content_hash, files_hash
from wsr.paths import assets_dir, atomic_path
from wsr.presets import preset
from wsr.zoo.meta import FIT_VERSION

PAPER = json.loads((Path(__file__).parent / "paper.json").read_text())


class Report:
    """assets/reports/<name>.json, with `about` beside its rows, and .md. A run that is resumed finds its rows there:
    only the same run, see `Resumed`. zoos: the names of those that rows are of."""

    def __init__(self, name: str, *, depends: dict[str, Any], zoos: Iterable[str] = (), **about: Any):
        self.path, self.about = assets_dir() / "reports" / f"{name}.json", about
        self.resumed = Resumed(self.path, Identity.of(f"report {name}", 1, **depends), zoos)
        self.rows: list[dict] = self.resumed.report.get("rows", [])

    def has(self, **values: Any) -> bool:
        """Whether there is a row with these."""
        return any(all(row.get(key) == value for key, value in values.items()) for row in self.rows)

    def add(self, *rows: dict) -> None:
        self.resumed.write({**self.about, "rows": [*self.rows, *rows]})
        self.rows += rows
        print(rows[-1], flush=True)
        with atomic_path(self.path.with_suffix(".md")) as temporary:
            temporary.write_text(markdown(pd.DataFrame(self.rows)))


class Resumed:
    """A report that grows, `report` as it is, and the run that it belongs to. WsrError, with what differs, for a file
    that another run has begun. A report that does not say what it was made of can be read, but nothing is added.

    zoos: names of zoos in assets/ whose content the rows depend on, each its own: others may be added.
    """

    def __init__(self, path: Path, identity: Identity, zoos: Iterable[str] = ()):
        self.path, self.report = path, json.loads(path.read_text()) if path.exists() else {}
        self.begun = Identity.read(self.report.get("identity"))
        before = self.begun.parts.get("zoos", {}) if self.begun else {}
        known = {name: zoo_hash(name) for name in dict.fromkeys([*before, *zoos])}
        self.identity = Identity.of(identity.method, identity.version, **identity.parts, zoos=known)
        if self.begun is not None:
            shared = {name: known[name] for name in before}
            now = Identity.of(identity.method, identity.version, **identity.parts, zoos=shared)
            now.require_same(self.begun, path, "remove it to begin afresh")

    def write(self, report: dict) -> None:
        if self.report and self.begun is None:
            self.identity.require_same(None, self.path, "remove it to begin afresh")
        self.report = {"identity": self.identity.record(), **report}
        self.begun = self.identity
        with atomic_path(self.path) as temporary:
            temporary.write_text(json.dumps(self.report, indent=1, ensure_ascii=False))


def zoo_hash(name: str) -> str | None:
    """Of all that a zoo of assets/ holds; None for one that is not there."""
    folder = assets_dir() / "zoos" / name
    names = ["zoo.json", "index.parquet", *sorted(path.name for path in folder.glob("weights-*.safetensors"))]
    return files_hash(folder / part for part in names) if (folder / "index.parquet").exists() else None


def fit_parts(signals: Signals, base: str) -> dict[str, Any]:
    """What fits of these signals at the `cpu` preset depend on."""
    settings = preset("cpu", signals.dim)
    found = {"targets": content_hash([signal.sha256() for signal in signals]), "ids": content_hash(signals.ids)}
    found |= {"base": load_base(base).info.sha256, "fit_version": FIT_VERSION}
    found |= {"fit": settings.fit, "field": settings.field, "resolution": settings.resolution}
    return found | {"rates": {name: settings.fit.of(name).lr for name in representations}}


def markdown(table: pd.DataFrame) -> str:
    shown = table.round(3).astype(object).where(table.notna(), "–")
    lines = [shown.columns, ["---"] * len(shown.columns), *shown.to_numpy()]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
