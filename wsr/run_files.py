"""The files of a run: its result, which a run of the same identity keeps, and its checkpoint in the cache."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


class CheckpointPace:
    """Decides when a run writes its checkpoint, so that all checkpoints together take at most `share` of the time since
    the run began, however large they are. What one takes is not known before, so that the first is written after
    `every` seconds whatever it takes; a run that ends soon after has spent more. That of the paper's diffusion model
    has about 31 GB: written in 30 s, the second follows after 100 minutes, and the others every 50.

    every: seconds between two checkpoints at least; clock: returns seconds.
    """

    def __init__(self, every: float = 60.0, share: float = 0.01, clock: Callable[[], float] = time.monotonic):
        self.every, self.share, self.clock = every, share, clock
        self.begun = self.written = clock()
        self.spent, self.longest = 0.0, 0.0

    @classmethod
    def at(cls, every: float) -> "CheckpointPace":
        """Returns the pace of a checkpoint every so many seconds, however long it takes to write."""
        return cls(every, math.inf)

    @property
    def due(self) -> bool:
        """Whether the next checkpoint can be written now."""
        now = self.clock()
        affordable = not self.spent or self.spent + self.longest <= self.share * (now - self.begun)
        return now - self.written >= self.every and affordable

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measures a checkpoint that is written within this context."""
        begun = self.clock()
        yield
        self.written = self.clock()
        self.spent += self.written - begun
        self.longest = max(self.longest, self.written - begun)
