"""WebP is decoded by libwebp itself, to the same pixels as by Pillow, in half of the memory."""

import io
import subprocess
import sys

import numpy as np
import pytest
from data.made_pictures import encoded, written
from PIL import Image

from wsr.data.readers import webp
from wsr.data.readers.image import _webp, read_picture
from wsr.errors import WsrError

SIX = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # EXIF that turns a picture clockwise


def noise(height: int, width: int, channels: int = 4) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8))


def stored(picture: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def animated(**options) -> bytes:
    """An animation of three frames that cover parts of a transparent canvas of 40 × 30 pixels."""
    frames = [Image.new("RGBA", (40, 30), (0, 0, 0, 0)) for _ in range(3)]
    for i, frame in enumerate(frames):
        frame.paste(noise(8, 9), (10 + i, 11))
    return stored(frames[0], save_all=True, append_images=frames[1:], **options)


FILES = {
    "without loss": stored(noise(33, 47), lossless=True, exact=True),
    "with loss": stored(noise(33, 47), quality=50),
    "opaque": stored(noise(33, 47, 3)),
    "opaque without loss": stored(noise(1, 7, 3), lossless=True),
    "turned": stored(noise(33, 47), exif=SIX),
    "with a profile": stored(noise(5, 5, 3), icc_profile=b"not one"),
    "animated": animated(lossless=True),
    "animated with loss": animated(quality=70),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_and_metadata_are_those_of_pillow(name, tmp_path, monkeypatch):
    wanted = _webp(Image.open(io.BytesIO(FILES[name])))
    found = webp.decoded(webp.layout(FILES[name]))
    np.testing.assert_array_equal(np.asarray(found), np.asarray(wanted))
    assert found.info == wanted.info
    read = read_picture(str(written(tmp_path, FILES[name])))
    # as on a machine where libwebp is built into Pillow and cannot be called
    monkeypatch.setattr(webp, "library", lambda: None)
    np.testing.assert_array_equal(read, read_picture(str(tmp_path / "a.png")))


@pytest.mark.parametrize("name", FILES)
def test_damaged_webp_files_are_read_or_refused(name, tmp_path):
    data, rng = FILES[name], np.random.default_rng(1)
    for _ in range(60):
        changed = bytearray(data)
        for place in rng.integers(12, len(data), 3):
            changed[place] = rng.integers(256)
        for wrong in (bytes(changed), data[: rng.integers(12, len(data))]):
            try:
                assert read_picture(str(written(tmp_path, wrong))).shape[2] == 3
            except WsrError as error:
                assert "'a.png'" in str(error)


def test_a_frame_outside_the_canvas_is_refused(tmp_path):
    data = bytearray(FILES["animated"])
    data[data.index(b"ANMF") + 8] = 200  # the left edge of the frame, in units of two pixels
    with pytest.raises(WsrError, match="beyond the canvas"):
        read_picture(str(written(tmp_path, bytes(data))))


def test_a_size_is_checked_before_anything_is_decoded(tmp_path):
    large = bytearray(FILES["animated"])
    large[24:30] = b"\x0f\x27\x00\x0f\x27\x00"  # a canvas of 10,000 × 10,000
    with pytest.raises(WsrError, match="10000x10000 pixels"):
        read_picture(str(written(tmp_path, bytes(large))))


PEAK = """
import sys
from wsr.data.readers.image import read_picture
for path in sys.argv[1:]:
    assert read_picture(path, 128).shape == (80, 128, 3)
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.once
def test_forty_megapixels_take_no_more_than_half_a_gigabyte(tmp_path):
    teal = Image.new("RGB", (8000, 5000), "teal")
    paths = [tmp_path / "lossless.webp", tmp_path / "lossy.webp"]
    teal.save(paths[0], lossless=True, quality=0, method=0)
    teal.save(paths[1], quality=10, method=0)
    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, paths)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500 * 1024  # kilobytes


def test_what_is_offered_needs_no_library(tmp_path, monkeypatch):
    monkeypatch.setattr(webp, "library", lambda: None)
    assert read_picture(str(written(tmp_path, encoded("WEBP")))).shape == (32, 48, 3)
