"""What the decoder in the page fetches from the server: its scripts, and networks and vectors by the digest of their
content, which browsers keep."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from wsr.cleanup import temporary_folder
from wsr.paths import atomic_path

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.fields.representation import Representation

# Relative to the page, which may be below a path of a proxy.
SCRIPTS, DATA = "wsr/field/page", "wsr/field/data"
KEPT = 400  # files: bases and paper-sized vectors have a few hundred KB, others some ten
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOLDER = temporary_folder("wsr-field-")
_PAGE = Path(__file__).parent / "page"
# For the page's head; they wait until the page is there.
LOOKING = "".join(f'<script type="module" src="{SCRIPTS}/{name}.js"></script>' for name in ("zoom", "turn"))
_names: WeakKeyDictionary[Any, str] = WeakKeyDictionary()  # of files, by the base or representation in them
_NAME = re.compile("[0-9a-f]{64}")


def _kept(content: bytes) -> str:
    """Writes a file and returns its name, a digest of its content, so that nobody can guess the address of another
    visitor's network."""
    path = _FOLDER / hashlib.sha256(content).hexdigest()
    if path.exists():
        path.touch()
        return path.name
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    for old in sorted(_FOLDER.iterdir(), key=lambda file: file.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
    return path.name


def _written(what: Any, content: Callable[[], bytes | None]) -> str | None:
    """Returns the name of the file of a base or a representation, which is written if it is not there; None for one
    without content. What was loaded never changes, and writing a base takes 4 ms, which each click would cost."""
    name = _names.get(what)
    if name and (_FOLDER / name).exists():
        (_FOLDER / name).touch()
        return name
    made = content()
    if made is not None:
        _names[what] = _kept(made)
    return _names.get(what)


def network_address(model: "Representation") -> str | None:
    """Returns the address of a representation's network file, relative to the page; None if it has no plan."""
    from wsr.fields.portable import base_file, network_file

    base = None if model.base is None else _written(model.base, lambda: base_file(model.base))
    name = _written(model, lambda: network_file(model, base))
    return None if name is None else f"{DATA}/{name}"


def vectors_address(vectors: "Mapping[str, Tensor]") -> str:
    """Returns the address of stored vectors by name, relative to the page."""
    from wsr.fields.portable import vectors_file

    return f"{DATA}/{_kept(vectors_file(vectors))}"


@dataclass(frozen=True)
class Shape:
    """How the server draws a surface, so that the page draws it alike once it rests. grid: samples along an edge of
    [-1, 1]³. pixels: of the picture, along an edge."""

    grid: int
    pixels: int


def field_of(
    model: "Representation", vectors: "Mapping[str, Tensor]", shape: Shape | None = None
) -> dict[str, Any] | None:  # fmt: skip
    """What the page needs to draw pictures of a network for each of these vectors; None where it cannot: a network
    without a plan. shape: of a picture of a surface; without it surfaces are drawn by the server."""
    network = _network(model, shape)
    return None if network is None else {**network, "vectors": vectors_address(vectors)}


def fields_of(
    model: "Representation", weights: "Tensor", *, passing: bool = False, shape: Shape | None = None
) -> list[dict[str, Any]] | None:  # fmt: skip
    """What the page needs to draw a picture of each of several weights (n, p); None where it cannot. passing: of
    weights that are soon replaced: they are sent along, in half precision, and no file is kept of them. shape: that of
    `field_of`."""
    from wsr.fields.portable import vectors_file

    network = _network(model, shape)
    if network is None:
        return None
    if passing:
        files = (base64.b64encode(vectors_file({"a": one.half()})).decode() for one in weights)
        return [{**network, "vectors": f"data:application/octet-stream;base64,{file}"} for file in files]
    address = vectors_address({str(number): one for number, one in enumerate(weights)})
    return [{**network, "vectors": address, "from": str(number)} for number in range(len(weights))]


def _network(model: "Representation", shape: Shape | None) -> dict[str, Any] | None:
    """The network as the page knows it, with how its surface is drawn; None where the page cannot draw it."""
    of = model.modality
    if of.has_surface and (shape is None or not of.level_set):
        return None
    address = network_address(model)
    return address and {"network": address, **({"shape": asdict(shape)} if shape and of.has_surface else {})}


def _data(request: Request) -> Response:
    name = request.path_params["name"]
    path = _FOLDER / name
    if not _NAME.fullmatch(name) or not path.is_file():
        raise HTTPException(404, "This network is no longer kept here: reload the page.")
    return FileResponse(path, media_type="application/octet-stream", headers=FOREVER)


def routes() -> list[BaseRoute]:
    """The routes of the server by which pages fetch these files."""
    return [Route(f"/{DATA}/{{name}}", _data), Mount(f"/{SCRIPTS}", StaticFiles(directory=_PAGE))]
