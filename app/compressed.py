"""Texts that are compressed as the browser takes them: the page itself, and plotly's scripts."""

import gzip
from collections.abc import Callable, Mapping

import brotli  # gradio needs it

# By the name of the encoding, the one that is preferred first: of a text and the quality of Brotli (up to 11).
_ENCODERS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "br": lambda text, quality: brotli.compress(text, quality=quality, mode=brotli.MODE_TEXT),
    "gzip": lambda text, quality: gzip.compress(text, compresslevel=9, mtime=0),
}


def taken(accepted: str) -> str:
    """Returns the encoding that a browser with this Accept-Encoding is sent; "" for none."""
    return next((name for name in _ENCODERS if name in accepted), "")


def compressed(text: bytes, encoding: str, quality: int) -> bytes:
    """Returns the text in an encoding that `taken` has named."""
    return _ENCODERS[encoding](text, quality)
