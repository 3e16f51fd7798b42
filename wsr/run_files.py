"""The files of a run: its result, which a run of the same identity keeps, and its checkpoint in the cache."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wsr.errors import WsrError, shown
from wsr.identity import Identity
from wsr.paths import cache_dir, taken

REMEDY = "name another file with --out, or replace it with --overwrite"


@dataclass(frozen=True)
class Written:
    """What the result of a run states about it. identity: None if it states none; about: how it was trained;
    depending: a clause about what would be lost with the file, for the message that refuses to replace it."""

    identity: Identity | None
    about: dict[str, Any] = field(default_factory=dict)
    depending: str = ""


def written_before(out: Path, identity: Identity, what: str, read: Callable[[Path], Written]) -> Written | None:
    """Returns what the file at `out` states if this very run has written it, or None if nothing is there. WsrError for
    anything else; the message says what differs. what: what the file should be, as in "a base"; read: reads such a
    file, with a WsrError if it is not one."""
    if not taken(out):
        return None
    try:
        written = read(out)
    except WsrError:
        raise WsrError(f"{shown(out)} exists, and is not {what}: {REMEDY}.") from None
    identity.require_same(written.identity, out, REMEDY, written.depending)
    return written


def checkpoint_path(name: str, identity: Identity, suffix: str = ".pt") -> Path:
    """Returns where a run keeps its checkpoint; runs of different identities have different ones."""
    return cache_dir() / "training" / f"{name}-{identity.short}{suffix}"
