"""Small pieces of the page as HTML. Everything that is not ours is escaped."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from app.palette import representation_line
from wsr.fields.registry import RepresentationKind

# Of a Model3D: degrees around and from above, as on the thumbnails, and a distance that fits the unit sphere.
CAMERA = (60, 70, 2.8)
QUALITY = {"psnr": "{:.1f} dB PSNR", "iou": "IoU {:.3f}"}
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


def data_uri(image: Float[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 3"]) -> str:
    """An image, floats in [0, 1] or bytes, inside an address: no file, and no flicker when it changes."""
    pixels = image if image.dtype == np.uint8 else np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
    out = io.BytesIO()
    small = max(pixels.shape[:2]) <= 256
    Image.fromarray(pixels).save(out, **({"format": "png"} if small else {"format": "webp", "quality": 92}))
    return f"data:image/{'png' if small else 'webp'};base64,{base64.b64encode(out.getvalue()).decode()}"


def picture(image: np.ndarray, alt: str, *, pixels: bool = False) -> str:
    """An image in a square frame. `pixels` shows them as squares instead of blurring them."""
    kind = ' class="wsr-pixels"' if pixels else ""
    return f'<div class="wsr-frame"><img{kind} src="{data_uri(image)}" alt="{html.escape(alt)}"></div>'


def thumbnail(sprite: Mapping[str, Any] | None, cell: int, alt: str) -> str:
    """A cell of a sheet of thumbnails in a square frame: on screen at once, until the field itself has been decoded."""
    if not sprite:
        return blank("Decoding …")
    row, column = divmod(cell, sprite["columns"])
    x = 100 * column / max(1, sprite["columns"] - 1)
    y = 100 * row / max(1, sprite["rows"] - 1)
    style = (
        f"background-image:url('{sprite['url']}');background-size:{100 * sprite['columns']}% {100 * sprite['rows']}%;"
        f"background-position:{x:.4f}% {y:.4f}%"
    )
    label = html.escape(alt)
    return f'<div class="wsr-frame"><div class="wsr-thumb" role="img" aria-label="{label}" style="{style}"></div></div>'


def blank(text: str) -> str:
    return f'<div class="wsr-frame"><div class="wsr-blank">{html.escape(text)}</div></div>'


def cell(image: np.ndarray | None, name: str, representation: str, notes: Sequence[str]) -> str:
    """A picture of a sheet: its name with the representation's colour, and what there is to say about it."""
    line = representation_line(representation)
    style = f"border-color:{line['color']};border-style:{'solid' if line['dash'] == 'solid' else 'dashed'}"
    frame = blank("empty: it has no surface") if image is None else picture(image, name)
    said = "".join(f"<span>{_explained(note)}</span>" for note in notes)
    return f'<figure>{frame}<figcaption><b style="{style}">{html.escape(name)}</b>{said}</figcaption></figure>'


def pictures(shown: Sequence[tuple[str, np.ndarray]], *, pixels: bool = False) -> str:
    """Pictures in a row, each with what it is below it."""
    cells = (
        f"<figure>{picture(image, caption, pixels=pixels)}<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, image in shown
    )
    return f'<div class="wsr-row">{"".join(cells)}</div>'


def ledger(lines: Sequence[tuple[str, str]]) -> str:
    """What was measured, a line each: its name and its value."""
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in lines)
    return f'<dl class="wsr-ledger">{rows}</dl>'


def verdict(right: bool, text: str) -> str:
    """Whether a guess was right, and what there is to see."""
    word, kind = ("Right.", "wsr-right") if right else ("Look again.", "wsr-wrong")
    return f'<div class="wsr-verdict {kind}" role="status"><b>{word}</b> {html.escape(text)}</div>'


def allowed(kinds: Sequence[RepresentationKind], row: str, column: str) -> str:
    """A table of the symmetries that each representation has and that its mask allows; the row and column in question
    stand out."""
    titles = {"permutation": "shuffle", "sign": "sign", "scale": "scale", "basis": "GL(r)"}
    head = "".join(f"<th>{title}</th>" for title in titles.values())
    rows = []
    for kind in kinds:
        cells = []
        for title in titles:
            mark = "–" if title not in kind.symmetries else "✓" if title in kind.allowed else "✗"
            here = ' class="wsr-here"' if (kind.name, title) == (row, column) else ""
            cells.append(f"<td{here}>{mark}</td>")
        rows.append(f"<tr><th>{html.escape(kind.label)}</th>{''.join(cells)}</tr>")
    return f'<table class="wsr-table"><tr><th></th>{head}</tr>{"".join(rows)}</table>'


def shares(text: str, parts: Sequence[tuple[str, float, str]]) -> str:
    """What something consists of: (name, share in [0, 1], colour), as a bar and in words."""
    bar = "".join(
        f'<span style="width:{100 * share:.2f}%;background:{html.escape(colour)}" title="{html.escape(name)}"></span>'
        for name, share, colour in parts
    )
    words = " · ".join(f"{html.escape(name)} {share:.0%}" for name, share, _ in parts[:6])
    return f'<div class="wsr-shares" role="status"><b>{_explained(text)}</b><div>{bar}</div><span>{words}</span></div>'


def probes(rows: Sequence[Mapping[str, Any]], representation: str) -> str:
    """Table 4 of a data set, percent; the representation on screen stands out."""
    from app.palette import NAMES

    if not rows:
        return settled("Table 4 has not been made here yet: python -m precompute.table4")
    columns = ("1-NN", "logistic", "ARI")
    head = "".join(f"<th>{column}</th>" for column in columns)
    lines = []
    for row in rows:
        here = ' class="wsr-here"' if row["representation"] == representation else ""
        cells = "".join(f"<td{here}>{row[c]:.1f} ± {row[f'{c} sd']:.1f}</td>" for c in columns)
        lines.append(f"<tr><th>{NAMES[row['representation']]}</th>{cells}</tr>")
    caption = "Percent, ten random splits: the class of an unseen network, read off its weights."
    return f'<table class="wsr-table"><caption>{caption}</caption><tr><th></th>{head}</tr>{"".join(lines)}</table>'


def sheet(cells: Sequence[str]) -> str:
    """Pictures side by side."""
    return f'<div class="wsr-sheet">{"".join(cells)}</div>'


def quality(value: float, measure: str) -> str:
    return QUALITY[measure].format(value)


def facts(name: str, cls: str, colour: str, value: str, note: str = "") -> str:
    """Name, class with its colour, quality, and a remark, on one line."""
    parts = [f"<b>{html.escape(name)}</b>"]
    if cls:
        dot = f'<span class="wsr-dot" style="background:{html.escape(colour)}"></span>'
        parts.append(f"<span>{dot}{html.escape(cls)}</span>")
    parts += [f"<span>{_explained(text)}</span>" for text in (value, note) if text]
    return f'<div class="wsr-facts">{"".join(parts)}</div>'


def _explained(text: str) -> str:
    """Terms with their meaning, for whoever points at them."""
    text = html.escape(text)
    for term, meaning in TERMS.items():
        text = text.replace(term, f'<abbr title="{html.escape(meaning)}">{term}</abbr>')
    return text


def working(text: str, done: float | None = None) -> str:
    """What is being done and how far it is, done in [0, 1]."""
    bar = "" if done is None else f'<progress max="1" value="{done:.3f}"></progress>'
    return f'<div class="wsr-state" role="status">{bar}<span>{html.escape(text)}</span></div>'


def settled(text: str) -> str:
    return f'<div class="wsr-state" role="status">{html.escape(text)}</div>'


def failed(text: str) -> str:
    return f'<div class="wsr-state wsr-failed" role="alert">{html.escape(text)}</div>'


def empty(text: str, command: str) -> str:
    return f'<div class="wsr-empty">{html.escape(text)} <code>{html.escape(command)}</code></div>'


def table(columns: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]], note: str) -> str:
    """A table with named rows, and what it says."""
    head = "".join(f"<th>{_explained(column)}</th>" for column in columns)
    body = "".join(
        f"<tr><th>{_explained(name)}</th>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in lines
    )
    rows = f'<table class="wsr-table"><tr><th></th>{head}</tr>{body}</table>'
    return f'<div class="wsr-caption">{html.escape(note)}</div><div class="wsr-wide">{rows}</div>'
