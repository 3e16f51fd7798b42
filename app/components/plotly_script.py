"""Plotly's scripts, served by the app itself since it must work offline, and compressed once for all visitors: most of
what a first visit fetches. Flat charts need a third of the whole, which is fetched once a chart is drawn in space."""

import functools
import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import brotli  # gradio needs it
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route


@dataclass(frozen=True)
class Script:
    """A script of Plotly. path: its file. address: relative to the page, which may be below a path of a proxy."""

    path: Path
    address: str


_FLAT = "plotly-flat-4.1.1.min.js"  # vendor/README.md says how it is built
FLAT = Script(Path(__file__).parent / "vendor" / _FLAT, f"wsr/plotly/{_FLAT}")
# The file is found without importing plotly, of which the app needs nothing else.
WHOLE = Script(
    Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js", f"wsr/plotly/{version('plotly')}.js"
)
# The whole has 1.23 MB after 0.9 s of a core, the flat one 0.46 MB after 0.3 s; of the whole, the next two levels save
# 8 and 10 % more for 6 and 10 s, and gzip makes 1.47 MB in 0.2 s.
QUALITY = 9
HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


_compressing = threading.Lock()  # a visitor who comes while one is compressed does not do it again


@functools.lru_cache(2)
def _gzip(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)


@functools.lru_cache(2)
def _brotli(path: Path) -> bytes:
    return brotli.compress(path.read_bytes(), quality=QUALITY, mode=brotli.MODE_TEXT)


def _sent(script: Script) -> Callable[[Request], Response]:
    makers = {"br": _brotli, "gzip": _gzip}

    def answer(request: Request) -> Response:
        accepted = request.headers.get("accept-encoding", "")
        name = next((one for one in makers if one in accepted), None)
        content = script.path.read_bytes() if name is None else _content(makers[name], script)
        encoding = {} if name is None else {"Content-Encoding": name}
        return Response(content, media_type="text/javascript", headers=HEADERS | encoding)

    return answer


def _content(make: Callable[[Path], bytes], script: Script) -> bytes:
    with _compressing:
        return make(script.path)


def routes() -> list[BaseRoute]:
    """The routes of the server by which pages fetch them. The first visitor does not wait for their compression."""

    def compress() -> None:
        for script in (FLAT, WHOLE):
            _content(_brotli, script)

    threading.Thread(target=compress, name="wsr-plotly", daemon=True).start()
    return [Route(f"/{script.address}", _sent(script)) for script in (FLAT, WHOLE)]
