"""The sub-command `wsr data`."""

import os
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from tyro.conf import Positional

from wsr.commands import OK, console
from wsr.errors import WsrError
from wsr.modalities import OCCUPANCY
from wsr.progress import bar


@dataclass
class Data:
    """Get a data set ready: fetch the emoji (a 15 MB npm package), or generate the 5,000 shapes and sample them.

    Examples: `wsr data emoji`, `wsr data shapes10`, `wsr data images:photos` (counts and checks a folder of your own),
    `wsr data chair.obj` (says what a mesh is like: closed or open, what was mended, how thin its walls are).
    """

    name: Positional[str]
    """emoji, shapes10, images:DIR, meshes:DIR or a mesh file."""
    folder: Path | None = None
    """Take the emoji from this folder with the package's files instead of fetching them from npm."""

    def run(self) -> int:
        from wsr.data import load_signals

        if Path(self.name).suffix and os.path.isfile(self.name):
            from wsr.data.mesh_report import describe_mesh

            console.print(" ".join(describe_mesh(self.name).sentences()), highlight=False, markup=False)
            return OK
        if Path(self.name).suffix.lower() in OCCUPANCY.files:
            raise WsrError(f"There is no file {self.name!r}.")
        if self.name.split("/")[0] == "emoji":
            from wsr.data.emoji import fetch_emoji

            fetch_emoji(self.folder)
        signals = load_signals(self.name)
        if self.name.split("/")[0] == "shapes10":
            from wsr.data.shapes10 import build_cache

            with bar("shapes") as update:
                build_cache(progress=update)
        if signals.modality.prepares:
            with bar(signals.modality.prepares) as update:
                signals.modality.prepare(signals, update)
        table = Table("class", "train", "held out")
        for cls in sorted(set(signals.classes)):
            parts = [len(signals.where(cls=cls, split=split)) for split in ("train", "heldout")]
            table.add_row(cls or "(none)", *map(str, parts))
        console.print(table, f"{len(signals)} {signals.modality.plural}.")
        return OK
