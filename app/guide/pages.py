"""What the server hands out beside the page: the tour, the lessons, and the project's documents as pages."""

from pathlib import Path

from markdown_it import MarkdownIt
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app import lessons
from app.guide import tour
from app.shell.head import SIDEWAYS
from wsr.errors import WsrError
from wsr.paths import assets_dir

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
DOCUMENTS = ("README.md", "MANUAL.md", "MEASURED.md", "assets/reports/REPRODUCTION.md", "precompute/README.md")
PICTURES = "assets/reports/"  # those of the documents
_WRITTEN = [*((HERE / name).read_text() for name in ("guide.js", "tour.js")), lessons.script()]
HEAD = "".join(f"<script>{one}</script>" for one in _WRITTEN)
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>wsr: {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body><main>{content}</main></body></html>"""


def page(title: str, content: str) -> HTMLResponse:
    """A page of text in the look of documents. content: HTML."""
    style = (HERE / "document.css").read_text() + SIDEWAYS
    return HTMLResponse(_PAGE.format(title=title, style=style, content=content))


def _tour(_request: Request) -> Response:
    try:
        return JSONResponse(tour.told())
    except WsrError as error:
        return JSONResponse({"error": str(error)}, status_code=404)


def _read(request: Request) -> Response:
    """A document as a page, or a picture of one. Nothing else of the folder is handed out."""
    name = request.path_params["name"]
    if name in DOCUMENTS and (ROOT / name).is_file():
        text = (ROOT / name).read_text()
        if text.startswith("---\n"):  # what a Space reads
            text = text.split("\n---\n", 1)[1]
        return page(name, MarkdownIt("commonmark").enable("table").render(text))
    folder = assets_dir() / "reports"
    path = folder / name.removeprefix(PICTURES)
    if name.startswith(PICTURES) and path.suffix in (".webp", ".png") and path.name == name.removeprefix(PICTURES):
        if path.is_file():
            return FileResponse(path)
    raise HTTPException(404, "There is no such document here.")


def _lessons(_request: Request) -> Response:
    return JSONResponse(lessons.told())


def _overview(_request: Request) -> Response:
    return page("Lessons", lessons.overview())


def routes() -> list[BaseRoute]:
    """The routes of the server by which pages fetch these."""
    found = {"/wsr/tour.json": _tour, "/wsr/lessons.json": _lessons, "/lessons": _overview, "/read/{name:path}": _read}
    return [Route(path, answer) for path, answer in found.items()]
