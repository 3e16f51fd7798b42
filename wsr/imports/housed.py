"""What a zoo that somebody brings may refer to: the bases that are offered here, and files that come with it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsr.data import IMPORTED
from wsr.data.registry import find
from wsr.errors import WsrError, counted
from wsr.formats.files import refuse_stand_in, shown, there
from wsr.formats.schema import ZooSchema, validated
from wsr.imports.formats import MOST_ROWS

DATASET = f"{IMPORTED}:weights"  # of weights that do not say to what they were fitted
# Entries of a zoo.json that are not taken over as they are.
_CHANGED = ("dataset", "shown_as", "base", "imported", "sampled", "like")


@dataclass(frozen=True)
class Taken:
    """What is known here of weights that somebody brings. bases: names of the bases that they may be adapters of; like:
    the zoo.json of the zoo that vectors belong to which do not say what decodes them, and its name; form: of another
    program's files, "" to find it out."""

    bases: Collection[str] = ()
    like: Mapping[str, Any] = field(default_factory=dict)
    like_name: str = ""
    form: str = ""
    most: int = MOST_ROWS


def described(meta: Any, folder: Path, out: Path, known: Taken) -> dict[str, Any]:
    """Returns a zoo.json that names nothing of this machine but offered bases, and files that come with it, as they
    will lie in `out`."""
    validated(ZooSchema, meta, f"{shown(folder / 'zoo.json')} is not the description of a zoo")
    found = {key: value for key, value in meta.items() if key not in _CHANGED}
    dataset, _ = find(str(meta["dataset"]))
    found |= {"dataset": meta["dataset"] if dataset else DATASET, "base": None}
    if base := meta.get("base"):
        found["base"] = _housed(Path(base).name, folder, out, "base") or offered(base, known)
    if shared := (meta.get("field") or {}).get("shared"):
        path = _housed(Path(shared["path"]).name, folder, out, "shared network")
        if path is None:
            name = shown(Path(shared["path"]).name)
            raise WsrError(f"These networks share {name}, which did not come along: put it into the zoo's folder.")
        found["field"] = {**meta["field"], "shared": {**shared, "path": path}}
    return found


def _housed(name: str, folder: Path, out: Path, what: str) -> str | None:
    """Returns where a file will lie that comes with a zoo; None if it does not."""
    for one in (name, f"{name}.safetensors"):
        if there(folder / one):
            refuse_stand_in(folder / one, f"a {what}")
            return str(out.resolve() / one)
    return None


def offered(base: str, known: Taken) -> str:
    """Returns the name of the base that weights name. WsrError if it is none of those that are offered."""
    name = Path(base).name.removesuffix(".safetensors")
    if name not in known.bases:
        raise WsrError(
            f"These weights adapt the base {shown(name, 80)}, which is not here: put its file into the zoo's folder, "
            "beside zoo.json."
        )
    return name


def carried(meta: Mapping[str, Any]) -> list[str]:
    """Paths of the files that a description names."""
    shared = (meta.get("field") or {}).get("shared") or {}
    return [one for one in (meta.get("base"), shared.get("path")) if one and "/" in one]


def require_rows(rows: int, known: Taken) -> None:
    """WsrError for more networks than are taken."""
    if rows > known.most:
        raise WsrError(f"It holds {counted(rows, 'network')}, and at most {known.most:,} are taken: bring fewer.")
