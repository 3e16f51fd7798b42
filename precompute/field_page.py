"""An empty page that has the decoder of app/components/field/, and networks for it to decode: for measurements."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app.components.field import files
from precompute.browser import free_port, wait_for
from wsr.fields import registry
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import Representation, make_representation

BASE = "emoji"
ISOLATED = [(b"cross-origin-opener-policy", b"same-origin"), (b"cross-origin-embedder-policy", b"require-corp")]


class Isolated:
    """ASGI middleware that lets a page use several threads of WebAssembly."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *ISOLATED]
            await send(message)

        await self.app(scope, receive, sent)


async def _empty(_request: Request) -> HTMLResponse:
    return HTMLResponse("<!doctype html><title>fields</title><link rel=icon href='data:,'>")


@contextmanager
def serving_fields(folder: Path | None = None) -> Iterator[str]:
    """Serves the page and yields its address. folder: with further files, below `more/`."""
    routes: list[BaseRoute] = [Route("/", _empty), *files.routes()]
    if folder is not None:
        routes.append(Mount("/more", StaticFiles(directory=folder)))
    port, app = free_port(), Starlette(routes=routes, middleware=[Middleware(Isolated)])
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join(10)
        time.sleep(0.1)


def instances() -> dict[str, tuple[Representation, torch.Tensor]]:
    """Returns an instance of each representation on the emoji base, its start with a little noise, by name."""
    base, found = load_base(BASE), {}
    for name in registry.names():
        model = make_representation(name, base, base.config, mask_seed=base.info.mask_seed)
        noise = torch.randn(model.size, generator=torch.Generator().manual_seed(5))
        found[name] = (model, model.initial() + 0.05 * noise)
    return found
