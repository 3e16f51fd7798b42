"""The sub-command `wsr data`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from tyro.conf import Positional, arg

from wsr.commands import FAILED, OK, a_data_set, console
from wsr.errors import WsrError, counted, shown
from wsr.progress import bar

if TYPE_CHECKING:
    import pandas as pd

    from wsr.data.signals import Signals

DESCRIBED, SHOWN = 500, 12  # signals whose attributes are read, and values of an attribute that are named


@dataclass
class Data:
    """Get a data set ready: fetch the emoji (a 15 MB npm package), or generate the 5,500 shapes and sample them; what
    needs neither, such as faces, is drawn when it is read. Says how many signals each split has, and what their
    attributes are.

    Examples: `wsr data emoji`, `wsr data faces`, `wsr data shapes10`, `wsr data images:photos` (counts a folder of
    your own and reads every file), `wsr data chair.obj` (says what a file is like: of a mesh whether it is closed, what
    was mended, how thin its walls are; of a picture its size and mode, and what is converted).
    """

    name: Annotated[Positional[str], arg(help=a_data_set(", or a file"))]
    folder: Path | None = None
    """Take the source files from this folder instead of fetching them; of the emoji, the pictures of the one npm
    package and the table of the other."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.data.registry import find
        from wsr.modalities import of_given

        if os.path.isfile(self.name):
            console.print(" ".join(_report(self.name)), highlight=False, markup=False)
            return OK
        if Path(self.name).suffix and of_given(self.name) is not None:
            raise WsrError(f"There is no file {shown(self.name)}.")
        dataset, _ = find(self.name)
        if dataset:
            dataset.fetch_from(self.folder)
        signals = load_signals(self.name)
        if dataset and dataset.builds:
            with bar(dataset.builds) as update:
                dataset.built(update)
        failed = {}
        if signals.modality.prepares:
            with bar(signals.modality.prepares) as update:
                failed = signals.modality.prepare(signals, update)
        elif not dataset:  # a folder, in which there may be anything
            with bar(f"read {self.name.rpartition('/')[2]}") as update:
                failed = _unreadable(signals, update)
        _show(signals)
        for name, why in itertools.islice(failed.items(), SHOWN):
            console.print(f"{shown(name)} cannot be used: {why}", highlight=False, markup=False)
        if len(failed) > SHOWN:
            console.print(f"{counted(len(failed) - SHOWN, 'further one')} cannot be used either.")
        return FAILED if failed else OK


def _unreadable(signals: Signals, update: Callable[[int, int], None]) -> dict[str, str]:
    """Reads every signal once. Returns the ids of those that cannot be read, with the reason."""
    failed = {}
    for done, signal in enumerate(signals, 1):
        try:
            signal.read()
        except WsrError as error:
            failed[signal.id] = str(error)
        update(done, len(signals))
    return failed


def _show(signals: Signals) -> None:
    """Prints how many signals of each class each split has, and the attributes with their values."""
    from wsr.data.splits import TEST, TRAIN, VALIDATION

    parts = {"train": TRAIN, "held out": VALIDATION} | ({"test": TEST} if TEST in signals.splits else {})
    table = Table("class", *parts)
    for cls in sorted(set(signals.classes)):
        counts = [len(signals.where(cls=cls, split=split)) for split in parts.values()]
        table.add_row(cls or "(none)", *map(str, counts))
    console.print(table, f"{counted(len(signals), signals.modality.noun, signals.modality.plural)}.")
    if not signals[:1].attributes.empty:
        attributes = signals[:: max(1, len(signals) // DESCRIBED)].attributes
        table = Table("attribute", "values")
        for name in attributes:
            table.add_row(name, _values(attributes[name].dropna()))
        console.print(table)


def _values(found: pd.Series) -> str:
    """The values of an attribute in words: the range of numbers, or the most frequent texts."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(found):
        return f"{found.min():.3g} to {found.max():.3g}"
    return ", ".join(map(str, found.value_counts().index[:SHOWN])) + (", …" if found.nunique() > SHOWN else "")


def _report(file: str) -> list[str]:
    """What the modality of a file says of it. WsrError for a file that is none's."""
    from wsr.modalities import everything, of_given
    from wsr.presets import preset

    modality = of_given(file)
    if modality is None:
        endings = ", ".join(ending for one in everything() for ending in one.files)
        raise WsrError(f"{shown(file)} is of no kind that is read: files that end in {endings} are.")
    return modality.report(file, preset("cpu", modality).resolution)
