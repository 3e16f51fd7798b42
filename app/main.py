"""The app: `python -m app.main` here, this file's path on a Hugging Face Space."""

import contextlib
import importlib
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # run by path, as a Space does: the packages are one folder up
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    import app  # noqa: F401  (before gradio: it turns reporting off)

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from app.components import plotly_script
from app.components.field import files
from app.components.plotly_chart import FIRST_PICTURE, PRELOAD
from app.guide import about, pages
from app.programs import endpoints
from app.shell import compute, gradio_patches, looking, places, session, tabs, workers
from app.shell.disk import MB, Uploads
from app.shell.head import SCRIPTS, Head, card
from app.shell.theme import CSS, theme
from wsr import isolation
from wsr.cleanup import TERMINATED, Terminated, end_on_sigterm
from wsr.errors import WsrError
from wsr.paths import cache_dir, disk_error

TABS = ("atlas", "fit", "connect", "symmetry", "generate", "audit", "results")  # as on the page: packages in app/tabs
TITLE = "wsr"
CARD_TITLE = "wsr: a weight-space laboratory in the browser"
ALONE = 8.0  # seconds without a visitor, after which the engine is made ready for one
GZIP = 5  # of 9: a third of the time, and 3 % more bytes
_seen = threading.Event()
PICTURES = Path(__file__).resolve().parent / "shell" / "pictures"  # of the page itself
CARD, ICON = PICTURES / "card.jpg", PICTURES / "icon.png"
gr.set_static_paths([CARD])
SENTENCE = "Every point here is a neural network whose weights are a picture."


def all_tabs() -> list[tabs.Tab]:
    return [importlib.import_module(f"app.tabs.{name}.view").TAB for name in TABS]


def build_app(shown: Sequence[tabs.Tab] | None = None) -> gr.Blocks:
    """Builds the page with its queue; `launch` serves it. shown: the tabs of the page, by default all."""
    with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False) as page:
        there = shown or all_tabs()
        gr.HTML(about.header(TITLE, SENTENCE, {tab.id: tab.title for tab in there}), elem_classes="wsr-title")
        endpoints.offer()  # first, since a listener of a tab may have the same name
        tabs.build(there, page, _seen.set)
        gradio_patches.hear_choices(page, **compute.PRIVATE)
        gradio_patches.hear_last_choice(page)
    page.queue(max_size=compute.QUEUE_SIZE, default_concurrency_limit=4, api_open=False)
    return places.limit(gradio_patches.rest(page))


async def full(_request: Request, error: OSError) -> Response:
    """Answers a request that fails because the disk is full, an upload for example, with a sentence in place of
    "Internal Server Error"."""
    known = disk_error(error)
    if known is None:
        raise error
    compute.log.error("%s", known)
    return PlainTextResponse(str(known), status_code=507)


def launch(host: str | None = None, port: int | None = None, block: bool = True) -> str:
    """Serves the page and returns its address. `host` and `port` default to 127.0.0.1:7860, or to what a Space sets.
    block: return only when the server ends."""
    end_on_sigterm()
    _require_free(host, port)
    tools = endpoints.are_tools()
    looking.one_thread_each()
    page = build_app()
    _, address, _ = page.launch(
        server_name=host, server_port=port, prevent_thread_lock=True, quiet=True, share=False, ssr_mode=False,
        footer_links=[], run_history=False, enable_monitoring=False, pwa=False, max_file_size=session.UPLOAD_LIMIT,
        favicon_path=ICON, theme=theme(), css_paths=[CSS], mcp_server=tools, state_session_capacity=session.SESSIONS,
        _frontend=False,  # gradio would ask for its own page, and give up on a machine that is busy for three seconds
        app_kwargs={"middleware": middleware(), "exception_handlers": {OSError: full}, "routes": routes()},
    )  # fmt: skip
    print(f"wsr is at {address}", flush=True)
    threading.Thread(target=warm_up, daemon=True).start()
    session.DISK.count_too(cache_dir() / "occupancy")  # of shapes that visitors bring
    session.DISK.watch()
    if block:
        _wait(page)
    return address


def _require_free(host: str | None, port: int | None) -> None:
    """Raises WsrError where the server cannot listen at this address. Without a port, gradio looks for a free one."""
    if port is None:
        return
    if not 0 < port < 2**16:
        raise WsrError(f"A port is a number from 1 to {2**16 - 1:,}, not {port}.")
    where = host or "127.0.0.1"
    try:
        with socket.socket(socket.AF_INET6 if ":" in where else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((where, port))
    except OSError as error:
        why = error.strerror or "unknown address"
        raise WsrError(f"The page cannot be served at {where}:{port} ({why}): choose another port or host.") from None


def _wait(page: gr.Blocks) -> None:
    """Blocks until Ctrl-C, or until the process is asked to end."""
    try:
        while page.is_running:
            time.sleep(0.2)
    finally:  # gradio's own wait would report a requested end as an error of its own
        page.close(verbose=False)


def middleware() -> list[Middleware]:
    """The ASGI middleware, the outermost first. `Head` compresses the page itself. Event streams and binary files are
    not compressed."""
    shown_as = card(CARD_TITLE, SENTENCE, f"gradio_api/file={CARD}")
    numbers = ("model/*", "application/octet-stream")
    return [
        Middleware(
            GZipMiddleware, minimum_size=1000, compresslevel=GZIP,
            exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *numbers),
        ),  # fmt: skip
        Middleware(Head, PRELOAD + FIRST_PICTURE + SCRIPTS + files.LOOKING + pages.HEAD + shown_as),
        Middleware(Uploads, session.DISK, session.UPLOAD_LIMIT + MB),
    ]


def routes() -> list[BaseRoute]:
    """What the server answers beside gradio's own addresses."""
    return [*files.routes(), *plotly_script.routes(), *pages.routes()]


def warm_up() -> None:
    """Imports the engine and prepares what the tabs need, once the first visitor has the map on screen, or after ALONE
    seconds without a visitor."""
    _seen.wait(ALONE)
    if hasattr(os, "setpriority") and sys.platform == "linux":
        with contextlib.suppress(OSError):  # where priorities may not be set, it works at that of the others
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)  # of this thread
    isolation.warm()  # the strip of samples reads photographs
    workers.warm()
    for tab in all_tabs():
        tab.warm()


if __name__ == "__main__":
    try:
        launch()
    except Terminated:
        sys.exit(TERMINATED)
    except KeyboardInterrupt:
        print("Stopped.")
