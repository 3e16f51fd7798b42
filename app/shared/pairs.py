"""The zoos of pairs: two fits of each target, of which figure 3 and the Connect tab show the line between them. What a
zoo of pairs holds is what its zoo.json states, whatever its folder is called."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.shared import library
from wsr.caching import cached_by_file
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.formats.files import shown
from wsr.formats.schema import ZooSchema, validated
from wsr.paths import assets_dir

OWN, NORMAL = STARTS = ("own", "normal")  # each representation's usual starts, and zero-mean starts


def datasets() -> list[str]:
    """Returns the names of all data sets with pairs, as in links and file names."""
    return list(dict.fromkeys(dataset for dataset, _, _ in _found()))


def kinds(dataset: str) -> list[tuple[str, str]]:
    """Returns the representation and the start of each of a data set's zoos of pairs, in the order of the registry."""
    found = _found()
    return [(name, start) for name in registry.names() for start in STARTS if (dataset, name, start) in found]


def folder(dataset: str, name: str, start: str) -> Path | None:
    """Returns the folder of a zoo of pairs, or None if there is none. name: its representation."""
    return _found().get((dataset, name, start))


def _found() -> dict[tuple[str, str, str], Path]:
    """Returns the folders of all readable zoos of pairs, by data set, representation and start."""
    found: dict[tuple[str, str, str], Path] = {}
    for path, meta in _described():
        if meta["representation"] in registry.names():
            start = NORMAL if meta["init"] == "normal" else OWN
            found.setdefault((library.shown_as(path.name, meta), meta["representation"], start), path)
    return found


def _described() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((assets_dir() / "zoos").glob("*/zoo.json")):
        if meta := _pairs_meta(path.parent):
            yield path.parent, meta


@cached_by_file(lambda zoo: [zoo / "zoo.json"], maxsize=256)
def _pairs_meta(zoo: Path) -> dict[str, Any]:
    """Returns the zoo.json of a zoo of pairs, which alone states how far apart two starts are (λ, `perturb`). Empty for
    other zoos and for one that cannot be read, which is logged."""
    try:
        meta = library.meta_of(zoo)
        if not meta.get("perturb"):
            return {}
        validated(ZooSchema, meta, f"{shown(zoo)} is not a zoo of pairs")
    except WsrError as error:
        library.log.error("%s is left out of the page. %s", zoo.name, error)
        return {}
    return meta
