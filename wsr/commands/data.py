"""The sub-command `wsr data`."""

import os
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from tyro.conf import Positional

from wsr.commands import OK, console
from wsr.errors import WsrError, counted, shown
from wsr.modalities import everything, of_given
from wsr.progress import bar


@dataclass
class Data:
    """Get a data set ready: fetch the emoji (a 15 MB npm package), or generate the 5,000 shapes and sample them.

    Examples: `wsr data emoji`, `wsr data shapes10`, `wsr data images:photos` (counts and checks a folder of your own),
    `wsr data chair.obj` (says what a file is like: of a mesh whether it is closed, what was mended, how thin its walls
    are; of a picture its size and mode, and what is converted).
    """

    name: Positional[str]
    """emoji, shapes10, images:DIR, meshes:DIR or a file."""
    folder: Path | None = None
    """Take the emoji from this folder with the package's files instead of fetching them from npm."""

    def run(self) -> int:
        from wsr.data import load_signals

        if os.path.isfile(self.name):
            console.print(" ".join(_report(self.name)), highlight=False, markup=False)
            return OK
        if Path(self.name).suffix and of_given(self.name) is not None:
            raise WsrError(f"There is no file {shown(self.name)}.")
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
        console.print(table, f"{counted(len(signals), signals.modality.noun, signals.modality.plural)}.")
        return OK


def _report(file: str) -> list[str]:
    """What the modality of a file says of it. WsrError for a file that is none's."""
    from wsr.presets import preset

    modality = of_given(file)
    if modality is None:
        endings = ", ".join(ending for one in everything() for ending in one.files)
        raise WsrError(f"{shown(file)} is of no kind that is read: files that end in {endings} are.")
    return modality.report(file, preset("cpu", modality).resolution)
