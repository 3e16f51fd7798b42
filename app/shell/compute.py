"""What every handler shares: queues, the GPU of a Space, files of one visitor, and errors as sentences."""

import functools
import hashlib
import inspect
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app.shell import disk, gradio_patches, looking, snippets
from wsr.errors import WsrError
from wsr.paths import disk_error

try:  # present on a Space with ZeroGPU only; it must be imported before torch
    import spaces
except ImportError:
    spaces = None

gradio_patches.send_values_whole()
log = logging.getLogger("wsr.app")

QUEUE_SIZE = 200  # of all visitors together; `places` says how many of one
# Fits take turns; looking at what is there does not wait for them.
COMPUTE = {"concurrency_id": "compute", "concurrency_limit": 1}
# Many at once: what is quick does not wait for what is slow. What takes long takes turns among itself (`looking`).
LOOK = {"concurrency_id": "look", "concurrency_limit": 24}
# Listeners are the page's own: none is offered as a public endpoint.
PRIVATE = {"api_visibility": "private", "show_progress": "hidden"}
UPLOAD_LIMIT = 32 * disk.MB

_ROOT = disk.own_folder()
os.environ["GRADIO_TEMP_DIR"] = str(_ROOT)  # gradio's uploads too; what lies here it hands out without a copy
DISK = disk.Disk(_ROOT)
_turns: dict[tuple[str | None, str], object] = {}  # of visitors, for `newest`
MANY = 5000  # of them: some visitors never say that they leave
SESSIONS = 200  # whose state is kept; a visitor's target and fit may take 20 MB
UNEXPECTED = "Something went wrong here, not with what you did. It is in the server's log; please try again."


def gpu(function: Callable | None = None, *, duration: int = 60) -> Callable:
    """`spaces.GPU` where that package is, nothing elsewhere. Its function runs in another process: give it plain data,
    and signal to it through files."""
    if function is None:
        return functools.partial(gpu, duration=duration)
    return spaces.GPU(function, duration=duration) if spaces else function


def session_dir(request: gr.Request | None) -> Path:
    """A folder for the files of this visitor only. `forget` removes it when they leave."""
    # by digest: a visitor may call themselves what they like, and must not reach another's folder by it
    name = hashlib.sha256(str(getattr(request, "session_hash", None) or "").encode("utf-8", "replace")).hexdigest()
    folder = _ROOT / "visitors" / name[:40]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.utime(folder)  # it is in use: `disk` removes empty folders that are not
    return folder


def shared_dir() -> Path:
    """A folder for files that are the same for every visitor."""
    folder = _ROOT / "shared"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def newest(request: gr.Request | None, answer: Iterator[Any], *topics: str) -> Iterator[Any]:
    """An answer, part by part, that ends early when the same visitor asks again: what is newest is what they see last.

    topics: what it is about, where a visitor may ask about several things at once; a newer answer to the first one ends
    it, and it ends older ones about any of them.

    gradio sends a generator's last values a second time when it ends, by when the newer answer may be on screen (and a
    Model3D drops its viewer when its value comes again while the viewer's script is loading): the last ones are none.
    """
    visitor, turn = getattr(request, "session_hash", None), object()
    keys = [(visitor, topic) for topic in topics or ("",)]
    for key in keys:
        _turns.pop(key, None)  # what is newest goes last
        _turns[key] = turn
    for key in list(_turns)[: max(0, len(_turns) - MANY)]:
        _turns.pop(key, None)
    try:
        while True:
            looking.asking(lambda: _turns.get(keys[0], turn) is not turn)  # each part may come from another thread
            part = next(answer)
            if _turns.get(keys[0], turn) is not turn:
                break
            yield part
    except (StopIteration, looking.Stale):
        pass
    finally:
        looking.asking(lambda: False)
    yield gr.skip()


def said_at_once(text: str) -> str:
    """JavaScript with which the page itself says that something is going on, without waiting for the server."""
    return f"() => {json.dumps(snippets.working(text))}"


def wire_stop(button: gr.Button, handler: Callable, state: gr.HTML) -> None:
    """A press on Stop: the page itself says "Stopping …", and `handler` makes the stop file. Were the words its
    answer, they could come after the last words of the job that it stops, and stay."""
    button.click(None, None, state, js=said_at_once("Stopping …"), queue=False, **PRIVATE)
    button.click(handler, None, None, queue=False, **PRIVATE)


def forget(request: gr.Request) -> None:
    visitor = getattr(request, "session_hash", None)
    for key in [key for key in list(_turns) if key[0] == visitor]:
        _turns.pop(key, None)
    shutil.rmtree(session_dir(request), ignore_errors=True)


def sentence(error: BaseException) -> str:
    """What the page says about an error: wsr's own sentence, or a general one, and then the log has the traceback."""
    if isinstance(error, WsrError):
        return str(error)
    if (full := disk_error(error)) is not None:
        log.error("%s", full)
        return str(full)
    log.error("unexpected error in a handler", exc_info=error)
    return UNEXPECTED


def guarded(handler: Callable) -> Callable:
    """A handler whose errors reach the page as one sentence in a notice, never as a traceback."""

    def told(error: Exception) -> gr.Error:
        return gr.Error(sentence(error), title="That did not work", print_exception=False)

    @functools.wraps(handler)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise told(error) from None

    @functools.wraps(handler)
    def stream(*args: Any, **kwargs: Any) -> Iterator[Any]:
        try:
            yield from handler(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            raise told(error) from None

    return stream if inspect.isgeneratorfunction(handler) else call
