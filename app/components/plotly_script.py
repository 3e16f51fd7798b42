"""Plotly's scripts, served by the app itself since it must work offline, and compressed once for all visitors: most of
what a first visit fetches. Flat charts need a third of the whole, which is fetched once a chart is drawn in space."""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.compressed import compressed, taken


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


@functools.lru_cache(4)
def _small(path: Path, encoding: str) -> bytes:
    return compressed(path.read_bytes(), encoding, QUALITY)


def _content(script: Script, encoding: str) -> bytes:
    with _compressing:
        return _small(script.path, encoding)


def _sent(script: Script) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        encoding = taken(request.headers.get("accept-encoding", ""))
        content = _content(script, encoding) if encoding else script.path.read_bytes()
        headers = HEADERS | ({"Content-Encoding": encoding} if encoding else {})
        return Response(content, media_type="text/javascript", headers=headers)

    return answer


def routes() -> list[BaseRoute]:
    """The routes of the server by which pages fetch them. The first visitor does not wait for their compression."""

    def compress() -> None:
        for script in (FLAT, WHOLE):
            _content(script, "br")

    threading.Thread(target=compress, name="wsr-plotly", daemon=True).start()
    return [Route(f"/{script.address}", _sent(script)) for script in (FLAT, WHOLE)]
