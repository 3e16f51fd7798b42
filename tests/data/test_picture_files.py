"""Which picture files can be opened, how large they may be, and how long that may take."""

import os
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from data import made_pictures as made
from data.made_pictures import encoded, written
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.transform import resize_local_mean

from wsr import picture_formats
from wsr.data import images
from wsr.data.images import load_image_folder, read_image, resize_image, square_crop
from wsr.data.readers.image import read_picture
from wsr.errors import WsrError

# --- which files


def test_all_offered_formats_are_opened_whatever_the_ending_of_the_file(tmp_path):
    assert len(set(picture_formats.SUFFIXES)) == len(picture_formats.SUFFIXES)
    for kind in picture_formats.OFFERED:
        data = encoded(kind.decoder or "HEIF")
        assert picture_formats.offered(data[:64]) == kind
        for name in (f"a{kind.suffixes[0]}", "b.png"):
            path = written(tmp_path, data, name)
            assert read_image(path).shape == (32, 48, 3), kind.name
    (tmp_path / "c.heic").write_bytes(encoded("HEIF"))
    assert {"a.heic", "a.avif", "a.gif", "a.tif"} < set(load_image_folder(tmp_path).ids)


@pytest.mark.parametrize(("data", "says"), [
    (b"P3\n3000 3000\n255\n" + b"0 " * 200_000, "PPM"),
    (b"P6\n1 1\n255\n\0\0\0", "PPM"),
    (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "JPEG 2000"),
    (b"\xff\x0a" + bytes(50), "JPEG XL"),
    (b"8BPS" + bytes(50), "Photoshop"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
    (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    (b"\n<!DOCTYPE html><html>", "web page"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"),
    (b"\0\0\0\x18ftypmp42" + bytes(40), "video"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(90), "HEIC"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(90), "HEIC"),
    (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + bytes(90), "AVIF"),
    (b"hello", "PNG, JPEG"),
])  # fmt: skip
def test_an_unsupported_picture_format_is_named_and_not_opened(tmp_path, data, says):
    begun = time.monotonic()
    with pytest.raises(WsrError, match=says) as error:
        read_image(written(tmp_path, data, "IMG_0002.jpg"))
    assert "IMG_0002.jpg" in str(error.value) and "\n" not in str(error.value)
    assert time.monotonic() - begun < 10


def test_where_heic_cannot_be_read_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif.as_plugin", None)
    with pytest.raises(WsrError, match="HEIC.*JPEG"):
        read_picture(str(written(tmp_path, encoded("HEIF"), "IMG_0001.jpg")))


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "d/" * 3000 + "x.png", "a\0b.png", "", ".", "\udcff.png"])
def test_paths_that_no_file_can_have(tmp_path, name):
    with pytest.raises(WsrError) as error:
        read_image(f"{tmp_path}/{name}")
    assert len(str(error.value)) < 600 and "\n" not in str(error.value)


def test_a_file_that_may_not_be_read(tmp_path):
    path = written(tmp_path, b"x")
    path.chmod(0)
    if os.geteuid():
        with pytest.raises(WsrError, match="cannot be read"):
            read_image(path)


# --- too large, too slow


def lines(width, height, colour=0):
    """Makes a PNG of zeros."""
    packer, parts = zlib.compressobj(), []
    channels = {0: 1, 2: 3, 6: 4}[colour]
    for _ in range(height):
        parts.append(packer.compress(bytes(1 + width * channels)))
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    body = b"".join(parts) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + made.chunk(b"IHDR", head) + made.chunk(b"IDAT", body) + made.chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(40_000_000, 1), (1, 1_000_000), (65_536, 1)])
def test_lines_are_no_pictures(tmp_path, width, height):
    with pytest.raises(WsrError, match="65,535"):
        read_image(written(tmp_path, lines(width, height)), longest=128)


def test_long_pictures_are_read_and_resized_without_a_matrix_of_their_sides(tmp_path):
    assert read_image(written(tmp_path, lines(65_535, 2)), longest=128).shape == (1, 128, 3)
    long = np.linspace(0, 1, 3 * 65_535, dtype=np.float32).reshape(1, -1, 3)
    begun = time.process_time()
    assert resize_image(long, 32_000).shape == (1, 32_000, 3)
    assert time.process_time() - begun < 5


def test_a_jpeg_of_thousands_of_scans_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "SECONDS", 2.0)
    path = written(tmp_path, made.many_scans(4000, 5000), "a.jpg")
    begun = time.monotonic()
    with pytest.raises(WsrError, match="a.jpg.*more than 2 s"):
        read_image(path, longest=128)
    assert time.monotonic() - begun < 30
    monkeypatch.undo()
    assert read_image(written(tmp_path, encoded("PNG"))).shape == (32, 48, 3)  # the next one is read


PEAK = """
import sys
from wsr.data.readers.image import read_picture
for path in sys.argv[1:]:
    assert max(read_picture(path, 128).shape) == 128
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def test_forty_megapixels_take_no_more_than_half_a_gigabyte(tmp_path):
    paths = [written(tmp_path, lines(8000, 5000, 6)), tmp_path / "a.jpg", tmp_path / "b.jpg"]
    Image.new("RGB", (8000, 5000), "teal").save(paths[1])
    Image.new("RGB", (8000, 5000), "teal").save(paths[2], progressive=True, subsampling=0)
    done = subprocess.run([sys.executable, "-c", PEAK, *map(str, paths)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500 * 1024  # kilobytes


# --- sizes


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 59))
def test_shrinking_is_the_mean_over_areas(height, width, longest):
    image = np.random.default_rng(height * 100 + width).random((height, width, 3), np.float32)
    longest = min(longest, max(height, width))
    found = resize_image(image, longest)
    np.testing.assert_allclose(found, resize_local_mean(image, found.shape[:2], channel_axis=-1), atol=1e-5)


@pytest.mark.parametrize("size", [(9, 30), (31, 8), (40, 40), (6, 5)])
def test_squares_of_a_folder_are_cropped_before_they_shrink(tmp_path, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    path = written(tmp_path, encoded("PNG", pixels))
    found = load_image_folder(tmp_path, resolution=8)[0].read()
    np.testing.assert_allclose(found, resize_image(square_crop(read_image(path)), 8), atol=1e-6)


def test_a_large_jpeg_is_drafted_and_looks_the_same(tmp_path):
    rng = np.random.default_rng(0)
    pixels = np.asarray(Image.fromarray(rng.integers(0, 256, (30, 45, 3), np.uint8)).resize((3000, 2000), 3))
    path = written(tmp_path, encoded("JPEG", pixels, quality=92), "a.jpg")
    whole = resize_image(read_image(path), 128)
    assert np.abs(read_image(path, longest=128) - whole).max() < 0.02
    square = load_image_folder(tmp_path, resolution=64)[0].read()
    np.testing.assert_allclose(square, resize_image(square_crop(read_image(path)), 64), atol=1e-5)
