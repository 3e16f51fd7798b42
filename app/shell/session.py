"""State of one visitor: a folder for their files, and which of their requests is the newest."""

import hashlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app.shell import disk, looking
from app.shell.turns import Turn

UPLOAD_LIMIT = 32 * disk.MB
_ROOT = disk.own_folder()
os.environ["GRADIO_TEMP_DIR"] = str(_ROOT)  # gradio's uploads too; what lies here it hands out without a copy
DISK = disk.Disk(_ROOT)
_turns: dict[tuple[str | None, str], Turn] = {}  # of visitors, for `newest`
MANY = 5000  # of them: some visitors never say that they leave
SESSIONS = 200  # whose state is kept; a visitor's target and fit may take 20 MB


def session_dir(request: gr.Request | None) -> Path:
    """Returns a folder for the files of this visitor only. `forget` removes it when they leave."""
    folder = _folder(request)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.utime(folder)  # it is in use: `disk` removes empty folders that are not
    return folder


def has_left(request: gr.Request | None) -> bool:
    """Returns whether the visitor's folder is gone, as `forget` leaves it: what still runs for them has nobody to tell
    of its troubles."""
    return not _folder(request).exists()


def _folder(request: gr.Request | None) -> Path:
    # by digest: a visitor may call themselves what they like, and must not reach another's folder by it
    name = hashlib.sha256(str(getattr(request, "session_hash", None) or "").encode("utf-8", "replace")).hexdigest()
    return _ROOT / "visitors" / name[:40]


def shared_dir() -> Path:
    """Returns a folder for files that are the same for every visitor."""
    folder = _ROOT / "shared"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def newest(
    request: gr.Request | None, answer: Iterator[Any], *topics: str, at: float | None = None
) -> Iterator[Any]:
    """Yields an answer part by part, and ends early when the same visitor asks again, so that the newest request is
    what they see last.

    topics: what the answer is about, where a visitor may ask about several things at once. A newer answer to the first
    topic ends this one, and this one ends older answers to any of the topics.
    at: when the visitor asked, in milliseconds by the page's clock, where several questions may be on their way at
    once. One that arrives after a later one is not answered: the network and threads keep no order.

    The last part is empty, because gradio sends a generator's last values a second time when it ends: by then a newer
    answer may be on screen, and a Model3D drops its viewer when its value comes again while the viewer's script is
    loading.
    """
    visitor, turn = getattr(request, "session_hash", None), Turn((topics := topics or ("",))[0], at)
    keys = [(visitor, topic) for topic in topics]
    if at is not None and any((_turns.get(key, turn).at or at) > at for key in keys):
        yield gr.skip()
        return
    for key in keys:
        older = _turns.pop(key, None)  # the newest goes last
        if older and (visitor, older.topic) == key:
            older.end(turn)
        _turns[key] = turn
    for key in list(_turns)[: max(0, len(_turns) - MANY)]:
        _turns.pop(key, None)
    try:
        while True:
            looking.asking(lambda: turn.over)  # each part may come from another thread
            part = next(answer)
            if not turn.send():
                break
            yield part
            turn.sent()  # gradio asks for the next part once this one is in the page's queue
    except (StopIteration, looking.Stale):
        pass
    finally:
        turn.sent()
        looking.asking(lambda: False)
    yield gr.skip()


def latest(answer: Callable[..., Any], topic: str) -> Callable[..., Iterator[Any]]:
    """Makes a handler that several listeners share answer the newest question only: gradio keeps an order for each
    listener, not between them, so that a slow answer to an older question would take the place of a newer one."""

    def answered(request: gr.Request, *values: Any) -> Iterator[Any]:
        yield from newest(request, itertools.starmap(answer, [values]), topic)

    answered.__name__ = getattr(answer, "__name__", topic)
    return answered


def end_answers(request: gr.Request | None) -> None:
    """Ends all answers to a visitor that `newest` is yielding, and waits for what is on its way to the page: they are
    about what the visitor has left."""
    visitor, now = getattr(request, "session_hash", None), Turn("")
    for key in [key for key in list(_turns) if key[0] == visitor]:
        if older := _turns.pop(key, None):
            older.end(now)
    now.send()


def forget(request: gr.Request) -> None:
    visitor = getattr(request, "session_hash", None)
    for key in [key for key in list(_turns) if key[0] == visitor]:
        _turns.pop(key, None)
    shutil.rmtree(session_dir(request), ignore_errors=True)
