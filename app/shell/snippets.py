"""Small pieces of HTML, made by the templates in snippets.html. Everything from outside is escaped."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from PIL import Image

from app.shared.palette import NAMES, representation_line
from app.shell import glossary
from app.shell.glossary import TERMS
from wsr.fields.registry import RepresentationKind
from wsr.modalities import Modality

# Camera of a Model3D: degrees around and from above, as on the thumbnails, and a distance that fits the unit sphere.
CAMERA = (60, 70, 2.8)
NAMED_SHARES = 6
_TERMS = glossary.pattern()


def explained(text: str) -> Markup:
    """Adds the meaning of each known term as a hover."""
    parts = _TERMS.split(text)  # every second one is a term
    said = (Markup('<abbr title="{}">{}</abbr>').format(TERMS[part], part) if i % 2 else escape(part)
            for i, part in enumerate(parts))  # fmt: skip
    return Markup("").join(said)


_environment = Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).parent))
_environment.filters["explained"] = explained
_macros = _environment.get_template("snippets.html").module


def _made(macro: str, *values: Any) -> str:
    """Renders a macro."""
    return str(getattr(_macros, macro)(*values))


def data_uri(image: Float[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 3"], *, exact: bool = True) -> str:
    """An image, floats in [0, 1] or bytes, as a data URI: it needs no file and does not flicker when it changes. exact:
    an image of at most 256 pixels keeps every pixel. Otherwise it has a fifth of the bytes, which is right for pictures
    among which somebody chooses."""
    pixels = image if image.dtype == np.uint8 else np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    out = io.BytesIO()
    kind = "png" if exact and max(pixels.shape[:2]) <= 256 else "webp"
    Image.fromarray(pixels).save(out, **({"format": "png"} if kind == "png" else {"format": "webp", "quality": 92}))
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"


def picture(
    image: np.ndarray, alt: str, *, pixels: bool = False, field: Mapping[str, Any] | None = None, moves: bool = False,
    turns: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """An image in a square frame. pixels: shows them as squares instead of blurring them. field: addresses of the
    network and of the vector that it is drawn from, by which the page zooms into it (`field.files`). moves: whether a
    `FieldSheet` draws it again when its place changes. turns: as `field`, of a surface that the page turns around."""
    said, turned = (one and json.dumps(one) for one in (field, turns))
    return _made("picture", Markup(data_uri(image)), alt, pixels, said, _moves(field) if moves else None, turned)


def _moves(field: Mapping[str, Any] | None) -> str:
    """How a picture is marked that depends on the place of a `FieldSheet`. field: by which network the page draws it;
    None where the server has to."""
    return "" if field is None else json.dumps(field)


def thumbnail(source: str | None, alt: str) -> str:
    """A thumbnail in a square frame: it is on screen at once, until the field has been decoded. source: a data URI."""
    return _made("picture", Markup(source), alt, True, None, None, None) if source else blank("Decoding …")


def blank(text: str) -> str:
    return _made("blank", text)


def cell(
    image: np.ndarray | None, name: str, representation: str, notes: Sequence[str],
    missing: str = "Empty: it has no surface.", field: Mapping[str, Any] | None = None,
) -> str:  # fmt: skip
    """A picture of a sheet with its name in the representation's colour, and notes. missing: the text where there is no
    picture. field: the network by which the page can draw the picture itself (`FieldSheet`)."""
    frame = blank(missing) if image is None else picture(image, f"what {name} shows")
    return _made("cell", Markup(frame), name, representation_line(representation), notes, _moves(field))


def pictures(
    shown: Sequence[tuple[str, np.ndarray]], *, pixels: bool = False,
    moving: Mapping[str, Mapping[str, Any] | None] = MappingProxyType({}),
    turning: Mapping[str, Mapping[str, Any] | None] = MappingProxyType({}),
) -> str:  # fmt: skip
    """Pictures in a row, each above its caption. moving: by caption, the pictures that a `FieldSheet` draws again when
    its place changes, with the network that the page draws them by; None where the server has to. turning: by caption,
    the networks of surfaces that the page turns, all together; None where it cannot. Below those that turn it says
    so."""
    marks = {caption: _moves(field) for caption, field in moving.items()}
    frames = [
        (caption, Markup(picture(image, caption, pixels=pixels, turns=turning.get(caption))), marks.get(caption))
        for caption, image in shown
    ]
    told = caption("Drag one to turn all of them, or use the arrow keys.") if any(turning.values()) else ""
    return _made("pictures", frames) + told


def being_drawn(captions: Sequence[str]) -> str:
    """Empty frames in a row, each above its caption, for pictures that are being decoded."""
    frames = [(caption, Markup(blank("Decoding …")), None) for caption in captions]
    return _made("pictures", frames)


def told(name: str, value: str, unit: str = "") -> Markup:
    """A value that the page measures anew when it changes weights itself (`FieldSheet`). unit: what it writes behind a
    number."""
    return Markup('<span data-told="{}" data-unit="{}">{}</span>').format(name, unit, value)


def ledger(lines: Sequence[tuple[str, str]]) -> str:
    """Measured values, one line each: name and value."""
    return _made("ledger", lines)


def verdict(right: bool, text: str) -> str:
    """Says whether a guess was right, and what there is to see."""
    return _made("verdict", right, text)


def allowed(kinds: Sequence[RepresentationKind], row: str, column: str) -> str:
    """Table of the symmetries that each representation has and that its mask allows. row, column: the cell to
    highlight."""
    titles = {"permutation": "shuffle", "sign": "sign", "scale": "scale", "basis": "GL(r)"}

    def mark(kind: RepresentationKind, title: str) -> str:
        return "–" if title not in kind.symmetries else "✓" if title in kind.allowed else "✗"

    rows = [(kind.label, [(title, mark(kind, title)) for title in titles]) for kind in kinds]
    return _made("allowed", titles.values(), rows, (row, column))


def shares(text: str, parts: Sequence[tuple[str, float, str]]) -> str:
    """Shares of a whole, as a bar and in words: (name, share in [0, 1], colour). What there are no words for is told
    together."""
    named = [(name, share) for name, share, _ in parts]
    if len(named) > NAMED_SHARES + 1:
        rest = sum(share for _, share in named[NAMED_SHARES:])
        named = [*named[:NAMED_SHARES], (f"{len(named) - NAMED_SHARES} others", rest)]
    return _made("shares", text, parts, named)


def probes(rows: Sequence[Mapping[str, Any]], representation: str) -> str:
    """Table 4 of a data set in percent, with the row of the representation on screen highlighted."""
    if not rows:
        return settled("What simple methods read in these weights has not been measured for this data set.")
    columns = ("1-NN", "logistic", "ARI")
    lines = [
        (NAMES[row["representation"]], [f"{row[c]:z.1f} ± {row[f'{c} sd']:.1f}" for c in columns],
         row["representation"] == representation)
        for row in rows
    ]  # fmt: skip
    return _made("probes", columns, lines)


def sheet(cells: Sequence[str]) -> str:
    """Pictures side by side."""
    return f'<div class="wsr-sheet">{"".join(cells)}</div>'


def facts(name: str, cls: str, colour: str, value: str, note: str = "", *, waits: bool = False) -> str:
    """One line with name, class with its colour, quality, and a remark. waits: whether the surface beside it is still
    that of another item, and shown as such."""
    return _made("facts", name, cls, colour, [text for text in (value, note) if text], waits)


def working(text: str, done: float | None = None) -> str:
    """A progress line. done: share that is done, in [0, 1]."""
    return _made("working", text, done)


def settled(text: str) -> str:
    return f'<div class="wsr-state" role="status">{escape(text)}</div>'


def failed(text: str) -> str:
    return f'<div class="wsr-state wsr-failed" role="alert">{escape(text)}</div>'


def tells_of_failure(state: str | None) -> bool:
    """Returns whether the line of a tab or a job is one that `failed` has made."""
    return 'class="wsr-state wsr-failed"' in (state or "")


def caption(text: str) -> str:
    """A caption whose terms have hovers."""
    return f'<div class="wsr-caption">{explained(text)}</div>'


def label(text: str) -> str:
    """A heading of a small part of a tab, whose terms have hovers."""
    return f'<div class="wsr-label">{explained(text)}</div>'


def notice(text: str) -> str:
    """A message that lies over the page until the visitor closes it."""
    return _made("notice", text)


def empty(text: str, command: str) -> str:
    return f'<div class="wsr-empty">{escape(text)} <code>{escape(command)}</code></div>'


def table(
    columns: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]], note: str, title: str = "",
    more: Sequence[str] = (),
) -> str:  # fmt: skip
    """A table with named rows, below a note. more: sentences below it, folded under a title."""
    return _made("table", columns, lines, note, title, more)


def quality(modality: Modality, value: float) -> str:
    """Returns a quality with its measure, or that it is not known (NaN), as of weights that another program has
    fitted."""
    return "quality not known" if isnan(value) else modality.in_short(value)
