"""Shared by all handlers: the queues, the GPU of a Space, and errors shown as sentences."""

import contextlib
import functools
import inspect
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from app.shell import gradio_patches, snippets
from wsr.errors import WsrError
from wsr.paths import disk_error

try:  # present on a Space with ZeroGPU only; it must be imported before torch
    import spaces
except ImportError:
    spaces = None

gradio_patches.send_values_whole()
log = logging.getLogger("wsr.app")

QUEUE_SIZE = 200  # of all visitors together; `places` says how many of one
# Fits run one at a time. Handlers that only show something do not wait for them.
COMPUTE = {"concurrency_id": "compute", "concurrency_limit": 1}
# Many run at once, so that quick answers do not wait for slow ones. Long decodes take turns (`looking`).
LOOK = {"concurrency_id": "look", "concurrency_limit": 24}
# Reads and measures visitors' files, as many at once as there are child processes for it (`workers.PREPARING`).
PREPARE = {"concurrency_id": "prepare", "concurrency_limit": 4}
# Zoos that visitors bring are mapped and audited one at a time. That takes a minute, so fits do not wait for it.
BRING = {"concurrency_id": "bring", "concurrency_limit": 1}
# Keywords of every listener: none is offered as a public endpoint, and none has gradio show its progress. The browser
# would otherwise keep the progress of each output that an event ever had, and update all of them at each message from
# the server: opening a tab took it twice as long.
PRIVATE = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": ()}
UNEXPECTED = "Something went wrong on the server, not with what you did. Its log says more; please try again."


def gpu(function: Callable | None = None, *, duration: int = 60) -> Callable:
    """`spaces.GPU` where that package is installed, otherwise the function itself. On a Space the function runs in
    another process: it takes plain data, and signals reach it through files."""
    if function is None:
        return functools.partial(gpu, duration=duration)
    return spaces.GPU(function, duration=duration) if spaces else function


def said_at_once(text: str) -> str:
    """JavaScript that shows a progress line at once, without waiting for the server."""
    return f"() => {json.dumps(snippets.working(text))}"


def outdated(parts: str, by: str = "") -> str:
    """JavaScript that makes parts of the page pale, because they tell of what was there before, until `answered` runs
    with the same `by`. parts: a CSS selector. by: what was asked, where several answers may be on their way: parts stay
    pale until the last of them has come."""
    return f"() => document.querySelectorAll('{parts}').forEach((one) => one.classList.add('{_old(by)}'))"


def answered(by: str = "") -> str:
    """JavaScript that ends what `outdated` has begun."""
    return f"() => document.querySelectorAll('.{_old(by)}').forEach((one) => one.classList.remove('{_old(by)}'))"


def _old(by: str) -> str:
    return f"wsr-old-{by}" if by else "wsr-old"


def sentence(error: BaseException) -> str:
    """The sentence that the page shows for an error: that of a WsrError, or a general one, and then the traceback goes
    to the log."""
    if isinstance(error, WsrError):
        return str(error)
    if (full := disk_error(error)) is not None:
        log.error("%s", full)
        return str(full)
    log.error("unexpected error in a handler", exc_info=error)
    return UNEXPECTED


@contextlib.contextmanager
def told(name: str) -> Iterator[None]:
    """Context manager that logs a WsrError instead of raising it, so that the other assets are still prepared. name: of
    the asset, for the log."""
    try:
        yield
    except WsrError as error:
        log.warning("%s is not ready: %s", name, error)


def guarded(handler: Callable) -> Callable:
    """Decorates a handler: its errors reach the page as one sentence in a toast, never as a traceback."""

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
