"""Data sets by name: `emoji`, `shapes10`, and folders of images or meshes."""

from pathlib import Path

from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError, shown, unknown_name
from wsr.formats.files import there
from wsr.modalities import everything

__all__ = ["Signal", "Signals", "load_signals"]


def load_signals(name: str, ids: list[str] | None = None) -> Signals:
    """Loads the signals of a data set, with ids, classes and fixed splits.

    name: "emoji" or "shapes10", one of their classes ("emoji/people", "shapes10/chair"), "images:DIR" or "meshes:DIR".
    ids: load only these, in this order. WsrError for an unknown name or id, with the nearest known one.
    """
    kind, _, rest = name.partition(":")
    modality = next((one for one in everything() if rest and one.folder == kind), None)
    signals = modality.load_folder(rest) if modality else _builtin(name)
    return signals if ids is None else signals.select(ids)


def _builtin(name: str) -> Signals:
    dataset, _, part = name.partition("/")
    if dataset == "emoji":
        from wsr.data.emoji import load_emoji

        return load_emoji(part or None)
    if dataset == "shapes10":
        from wsr.data.shapes10 import load_shapes10

        return load_shapes10(part or None)
    if there(name, Path.is_dir):
        ways = " or ".join(f"{one.folder}:{name} ({one.plural})" for one in everything() if one.folder)
        raise WsrError(f"{shown(name)} is a folder: as a data set its name says what it holds, {ways}.")
    folders = [f"{modality.folder}:DIR" for modality in everything() if modality.folder]
    raise unknown_name("data set", name, ("emoji", "shapes10", *folders))
