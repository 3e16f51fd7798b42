"""Plotly's script, served from the installed wheel since the app must work offline, and compressed once for all
visitors: it is two thirds of what a first visit fetches."""

import functools
import gzip
import threading
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import brotli  # gradio needs it
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

# The file is found without importing plotly, of which the app needs nothing else.
PATH = Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"
ADDRESS = f"wsr/plotly/{version('plotly')}.js"  # relative to the page, which may be below a path of a proxy
# 1.23 MB after 0.9 s of a core; the next two levels save 8 and 10 % more for 6 and 10 s, gzip makes 1.47 MB in 0.2 s.
QUALITY = 9
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


_compressing = threading.Lock()  # a visitor who comes while it is compressed does not do it again


@functools.lru_cache(1)
def _gzip() -> bytes:
    return gzip.compress(PATH.read_bytes(), compresslevel=9, mtime=0)


@functools.lru_cache(1)
def _brotli() -> bytes:
    return brotli.compress(PATH.read_bytes(), quality=QUALITY, mode=brotli.MODE_TEXT)


def _script(request: Request) -> Response:
    accepted = request.headers.get("accept-encoding", "")
    makers = {"br": _brotli, "gzip": _gzip}
    name = next((one for one in makers if one in accepted), None)
    if name is None:
        return Response(PATH.read_bytes(), media_type="text/javascript", headers=HEADERS)
    headers = HEADERS | {"Content-Encoding": name}
    return Response(_content(makers[name]), media_type="text/javascript", headers=headers)


def _content(make: Callable[[], bytes]) -> bytes:
    with _compressing:
        return make()


def routes() -> list[BaseRoute]:
    """The route of the server by which pages fetch it. The first visitor does not wait for its compression."""
    threading.Thread(target=_content, args=(_brotli,), name="wsr-plotly", daemon=True).start()
    return [Route(f"/{ADDRESS}", _script)]
