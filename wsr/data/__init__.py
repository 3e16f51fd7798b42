"""Data sets by name: those that are registered (`wsr.data.registry`), and folders of images or meshes."""

from pathlib import Path

from wsr.data.parts import folder_and_part, part_of
from wsr.data.registry import choices, find
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError, shown, unknown_name
from wsr.formats.files import there
from wsr.modalities import Modality, everything

__all__ = ["Signal", "Signals", "load_signals"]

IMPORTED = "imported"  # begins the names of data sets that imported zoos were fitted to and that are not here


def load_signals(name: str, ids: list[str] | None = None) -> Signals:
    """Loads the signals of a data set, with ids, classes, attributes and fixed splits.

    name: a registered data set ("emoji", "faces", "shapes10"), one of its classes ("emoji/people", "shapes10/chair"),
    "faces/20000" for another number of training faces, "images:DIR" or "meshes:DIR", or a part of a folder,
    "images:DIR#5000" or "meshes:DIR#10x500" (`wsr.data.parts`).
    ids: load only these, in this order. WsrError for an unknown name or id, with the nearest known one.
    """
    kind, _, rest = name.partition(":")
    modality = next((one for one in everything() if rest and one.folder == kind), None)
    signals = _folder(modality, rest) if modality else _builtin(name)
    return signals if ids is None else signals.select(ids)


def _folder(modality: Modality, text: str) -> Signals:
    folder, part = folder_and_part(text)
    signals = modality.load_folder(folder)
    return part_of(signals, part) if part or folder != text else signals


def _builtin(name: str) -> Signals:
    dataset, part = find(name)
    if dataset is not None:
        return dataset.loaded(part)
    if there(name, Path.is_dir):
        ways = " or ".join(f"{one.folder}:{name} ({one.plural})" for one in everything() if one.folder)
        raise WsrError(f"{shown(name)} is a folder: as a data set its name says what it holds, {ways}.")
    if name.startswith(f"{IMPORTED}:"):
        raise WsrError(
            "These weights were imported, and what they were fitted to is not here. `wsr import --dataset` can name it."
        )
    raise unknown_name("data set", name, choices())
