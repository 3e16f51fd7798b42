"""The fit that plays when the tab is opened, before a visitor has fitted anything: it was recorded, and plays once."""

from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup

from app.figures.curves import quality_curve
from app.shared import library
from app.shell import snippets
from wsr.modalities import IMAGE
from wsr.paths import assets_dir

NAME = "recorded-fit"
BEFORE_A_FIT = "Press Fit: a few thousand numbers become this picture while you look."
INVITES = "Choose a sample or bring your own, then press Fit."
_FRAME = Markup(
    '<div class="wsr-frame"><picture><source srcset="{last}" media="(prefers-reduced-motion: reduce)">'
    '<img src="{moving}" alt="{alt}" loading="lazy"></picture></div>'
)


def _about(item: str) -> dict[str, Any]:
    """What the record says of itself; empty if there is none, or it is of another sample."""
    there = item and all(path.is_file() for path in _files())
    found = library.report(NAME) if there else {}
    return found if found.get("item") == item else {}


def _files() -> list[Path]:
    return [assets_dir() / "reports" / f"{NAME}{which}.webp" for which in ("", "-last")]


def picture(item: str) -> str:
    """The recorded fit of a sample, or what stands in its place for any other. It is loaded once it is on screen, so
    that it begins there."""
    about = _about(item)
    if not about:
        return snippets.blank(BEFORE_A_FIT)
    gr.set_static_paths(_files())
    moving, last = (f"gradio_api/file={path}?{path.stat().st_mtime_ns}" for path in _files())
    return str(_FRAME.format(moving=moving, last=last, alt=f"a recorded fit of {about['label']}, step by step"))


def curve(item: str) -> dict[str, Any] | None:
    """The chart of the recorded fit's quality; None for any other sample."""
    about = _about(item)
    if not about:
        return None
    steps, quality = zip(*about["curve"], strict=True)
    return quality_curve(steps, quality, of=IMAGE, representation=about["representation"])


def invitation(item: str) -> str:
    """The line below it, which says what plays and what to do now."""
    about = _about(item)
    if not about:
        return INVITES
    became = f"{about['steps']:,} steps turned {about['numbers']:,} numbers into this {about['label']}"
    return (
        f"A recorded fit: {became}, at {IMAGE.in_short(about['quality'])}. Now yours: drop a picture, or choose a "
        "sample, and press Fit."
    )
