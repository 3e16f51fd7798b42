"""The report on a picture before it is fitted: its size and mode, and what is converted when it is read."""

import io

import numpy as np
import pytest
from data import made_pictures as made
from data.made_pictures import encoded, quarters, written
from PIL import Image

from wsr.data.picture_report import describe_picture, report_of
from wsr.errors import WsrError
from wsr.picture_formats import OFFERED

SIX = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
FRAMES = [Image.fromarray(quarters()), Image.new("RGB", (48, 32))]


def animated(kind: str) -> bytes:
    buffer = io.BytesIO()
    FRAMES[0].save(buffer, kind, save_all=True, append_images=FRAMES[1:])
    return buffer.getvalue()


@pytest.mark.parametrize("kind", OFFERED, ids=lambda kind: kind.name)
def test_every_format_has_a_report(kind, tmp_path):
    report = report_of(str(written(tmp_path, encoded(kind.decoder or "HEIF"))))
    assert (report.format, report.width, report.height) == (kind.name, 48, 32)
    assert not (report.transparent or report.animated or report.converted)
    assert report.sentences()[0].startswith(f"{kind.name} picture of 48 × 32 pixels, ")


@pytest.mark.parametrize(("data", "said"), [
    (made.png(quarters(), 2, more=[made.iccp(made.rgb_profile())]), "Its colours are converted to sRGB"),
    (encoded("JPEG", exif=SIX), "32 × 48 pixels, RGB. It is turned clockwise, as its file says (orientation 6)."),
    (made.png(np.full((3, 4), 40_000), 0, 16), "grey of 16 bits"),
    (made.png(np.full((3, 4, 3), 40_000), 2, 16), "Of the 16 bits of each channel, 8 are read."),
    (made.png(np.zeros((3, 4)), 0, more=[made.chunk(b"tRNS", b"\0\0")]), "What is transparent is shown on white."),
    (animated("PNG"), "several frames, of which only the first is read."), (animated("GIF"), "several frames"),
    (animated("WEBP"), "several frames"), (encoded("TIFF"), "It is scaled down to 24 × 16 pixels to be fitted."),
])  # fmt: skip
def test_what_is_converted_is_said(data, said, tmp_path):
    assert said in " ".join(describe_picture(written(tmp_path, data)).sentences(24))


def test_a_picture_that_cannot_be_read_is_a_sentence(tmp_path):
    with pytest.raises(WsrError, match="damaged PNG"):
        describe_picture(written(tmp_path, encoded("PNG")[:60]))
    with pytest.raises(WsrError, match="There is no image file"):
        describe_picture(tmp_path / "none.png")
