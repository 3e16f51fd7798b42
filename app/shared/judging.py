"""What happens to samples that a visitor brings: they are judged against the zoo that their generator has learnt from.
Runs in a child process (`app.shell.workers`), over paths and plain data."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from wsr.analysis.pairs import extractor_of, pair_report, set_aside
from wsr.errors import WsrError, counted
from wsr.imports.brought import bring
from wsr.imports.housed import Taken
from wsr.paths import atomic_path
from wsr.zoo import Zoo, require_alike

SHAPES = 128  # samples that are judged; each has to be decoded, which takes a quarter of a second
_END = object()


@dataclass(frozen=True)
class Judged:
    """How far it is. done: share in [0, 1]; against: number of the zoo of the page that the samples are like, of those
    that were offered; judged, rows: samples that are judged, and that there are; left_out: a sentence for each that
    cannot be used; like: the zoo whose networks they were taken for."""

    said: str
    done: float
    against: int = -1
    judged: int = 0
    rows: int = 0
    left_out: tuple[str, ...] = ()
    like: str = ""


def judged(
    samples: str, training: str, folder: str, known: tuple[Taken, Taken], offered: Sequence[str]
) -> Iterator[Judged]:  # fmt: skip
    """Judges samples, and writes the report into `folder`. training: the file of the training zoo, "" for one of those
    that are offered, of which the first is taken whose networks are of the same kind. known: of the samples and of the
    training zoo."""
    place = Path(folder)
    if training:
        yield Judged("Reading the training zoo …", 0.02)
        learnt = bring(Path(training), place / "zoo", known[1])
        zoo = Zoo.open(learnt.path)
    brought = bring(Path(samples), place / "samples", known[0])
    own = Zoo.open(brought.path)
    against = -1
    if training:
        require_alike(own, zoo)
    else:
        against = _alike(own, offered)
        zoo = Zoo.open(offered[against])
    everything = bool(training) and set_aside(zoo)
    ids = own.good()["id"].tolist()[: SHAPES if zoo.modality.has_surface else None]
    like = brought.like or (learnt.like if training else "")
    done = Judged("", 1.0, against, len(ids), len(own), tuple(brought.left_out), like)
    yield from _reported(zoo, own, ids, everything, place)
    yield done


def _alike(samples: Zoo, offered: Sequence[str]) -> int:
    """Returns the number of the first offered zoo whose networks are of the same kind as the samples."""
    for number, path in enumerate(offered):
        try:
            require_alike(samples, Zoo.open(path))
        except WsrError:
            continue
        return number
    kind = samples.representation.kind.label
    size = counted(samples.stored, "number")
    raise WsrError(
        f"No zoo of this page has networks like these samples ({kind}, {size} each, on their base): bring the training "
        "zoo as well."
    )


def _reported(zoo: Zoo, samples: Zoo, ids: list[str], everything: bool, folder: Path) -> Iterator[Judged]:
    """Writes the report, and yields how far it is."""
    said: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        try:
            weights, extractor = samples.weights(ids), extractor_of(zoo.modality)
            rows, about = pair_report(
                zoo, weights, extractor, lambda text, done: said.put(Judged(text, done)), everything=everything
            )
            with atomic_path(folder / "audit.parquet") as temporary:
                rows.to_parquet(temporary, index=False)
            with atomic_path(folder / "audit.json") as temporary:
                temporary.write_text(json.dumps(about))
            said.put(_END)
        except BaseException as error:
            said.put(error)

    Thread(target=work, daemon=True).start()
    while (found := said.get()) is not _END:
        if isinstance(found, BaseException):
            raise found
        yield found
