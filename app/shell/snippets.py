"""Small pieces of the page as HTML, by the templates in snippets.html. Everything that is not ours is escaped."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from PIL import Image

from app.shared.palette import NAMES, representation_line
from wsr.fields.registry import RepresentationKind

# Of a Model3D: degrees around and from above, as on the thumbnails, and a distance that fits the unit sphere.
CAMERA = (60, 70, 2.8)
TERMS = {
    "PSNR": "peak signal-to-noise ratio: how close the picture is; 30 dB looks right, 6 dB more halve the error",
    "IoU": "intersection over union: the volume that both shapes share, of the volume that either fills",
    "p-diff": "another generator: diffusion over the latents of an autoencoder",
    "G.pt": "another generator: weights from earlier weights of a fit and the loss that is wanted",
    "Hyper-Representations": "another generator: an autoencoder of weights, and a density of its latents",
    "held out": "real networks, of targets that no generator and no base has seen",
    "noise 0.1": "training networks with a little noise: planted copies",
    "average of 2": "the mean of two training networks: a planted blend",
    "Gaussian": "each number drawn for itself, as it is spread over the training networks",
    "novelty": "nearness to a training network, or to a mix of two, in units of new networks: 0 is a copy, 1 is new",
    "unlike real": "distance of what it shows from what new networks show, in their own units: 1 is as real as they",
}


def _explained(text: str) -> Markup:
    """Terms with their meaning, for whoever points at them."""
    text = escape(text)
    for term, meaning in TERMS.items():
        text = text.replace(term, Markup('<abbr title="{}">{}</abbr>').format(meaning, term))
    return text


_environment = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).parent))
_environment.filters["explained"] = _explained
_macros = _environment.get_template("snippets.html").module


def _made(macro: str, *values: Any) -> str:
    """What a macro makes of its values."""
    return str(getattr(_macros, macro)(*values))


def data_uri(image: Float[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 3"]) -> str:
    """An image, floats in [0, 1] or bytes, inside an address: no file, and no flicker when it changes."""
    pixels = image if image.dtype == np.uint8 else np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    out = io.BytesIO()
    small = max(pixels.shape[:2]) <= 256
    Image.fromarray(pixels).save(out, **({"format": "png"} if small else {"format": "webp", "quality": 92}))
    return f"data:image/{'png' if small else 'webp'};base64,{base64.b64encode(out.getvalue()).decode()}"


def picture(image: np.ndarray, alt: str, *, pixels: bool = False) -> str:
    """An image in a square frame. `pixels` shows them as squares instead of blurring them."""
    return _made("picture", Markup(data_uri(image)), alt, pixels)


def thumbnail(sprite: Mapping[str, Any] | None, cell: int, alt: str) -> str:
    """A cell of a sheet of thumbnails in a square frame: on screen at once, until the field itself has been decoded."""
    if not sprite:
        return blank("Decoding …")
    row, column = divmod(cell, sprite["columns"])
    x, y = 100 * column / max(1, sprite["columns"] - 1), 100 * row / max(1, sprite["rows"] - 1)
    return _made("thumbnail", sprite, x, y, alt)


def blank(text: str) -> str:
    return _made("blank", text)


def cell(image: np.ndarray | None, name: str, representation: str, notes: Sequence[str]) -> str:
    """A picture of a sheet: its name with the representation's colour, and what there is to say about it."""
    frame = blank("empty: it has no surface") if image is None else picture(image, name)
    return _made("cell", Markup(frame), name, representation_line(representation), notes)


def pictures(shown: Sequence[tuple[str, np.ndarray]], *, pixels: bool = False) -> str:
    """Pictures in a row, each with what it is below it."""
    frames = [(caption, Markup(picture(image, caption, pixels=pixels))) for caption, image in shown]
    return _made("pictures", frames)


def ledger(lines: Sequence[tuple[str, str]]) -> str:
    """What was measured, a line each: its name and its value."""
    return _made("ledger", lines)


def verdict(right: bool, text: str) -> str:
    """Whether a guess was right, and what there is to see."""
    return _made("verdict", right, text)


def allowed(kinds: Sequence[RepresentationKind], row: str, column: str) -> str:
    """A table of the symmetries that each representation has and that its mask allows; the row and column in question
    stand out."""
    titles = {"permutation": "shuffle", "sign": "sign", "scale": "scale", "basis": "GL(r)"}

    def mark(kind: RepresentationKind, title: str) -> str:
        return "–" if title not in kind.symmetries else "✓" if title in kind.allowed else "✗"

    rows = [(kind.label, [(title, mark(kind, title)) for title in titles]) for kind in kinds]
    return _made("allowed", titles.values(), rows, (row, column))


def shares(text: str, parts: Sequence[tuple[str, float, str]]) -> str:
    """What something consists of: (name, share in [0, 1], colour), as a bar and in words."""
    return _made("shares", text, parts)


def probes(rows: Sequence[Mapping[str, Any]], representation: str) -> str:
    """Table 4 of a data set, percent; the representation on screen stands out."""
    if not rows:
        return settled("Table 4 has not been made here yet: python -m precompute run table4")
    columns = ("1-NN", "logistic", "ARI")
    lines = [
        (NAMES[row["representation"]], [f"{row[c]:.1f} ± {row[f'{c} sd']:.1f}" for c in columns],
         row["representation"] == representation)
        for row in rows
    ]  # fmt: skip
    return _made("probes", columns, lines)


def sheet(cells: Sequence[str]) -> str:
    """Pictures side by side."""
    return f'<div class="wsr-sheet">{"".join(cells)}</div>'


def facts(name: str, cls: str, colour: str, value: str, note: str = "") -> str:
    """Name, class with its colour, quality, and a remark, on one line."""
    return _made("facts", name, cls, colour, [text for text in (value, note) if text])


def working(text: str, done: float | None = None) -> str:
    """What is being done and how far it is, done in [0, 1]."""
    return _made("working", text, done)


def settled(text: str) -> str:
    return f'<div class="wsr-state" role="status">{escape(text)}</div>'


def failed(text: str) -> str:
    return f'<div class="wsr-state wsr-failed" role="alert">{escape(text)}</div>'


def empty(text: str, command: str) -> str:
    return f'<div class="wsr-empty">{escape(text)} <code>{escape(command)}</code></div>'


def table(columns: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]], note: str) -> str:
    """A table with named rows, and what it says."""
    return _made("table", columns, lines, note)
