import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wsr.data.images import load_image_folder, read_image, resize_image, square_crop
from wsr.errors import WsrError


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def png_header(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_png_is_read_exactly(picture, tmp_path):
    image = read_image(save(tmp_path / "a.png", picture))
    assert image.dtype == np.float32 and image.shape == (12, 17, 3)
    np.testing.assert_array_equal(np.round(image * 255).astype(np.uint8), picture)


MODES = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "HSV", "LAB", "I", "F"]


@pytest.mark.parametrize("mode", MODES)
def test_every_pil_mode(mode):
    grey = Image.fromarray(np.full((5, 4), 128, np.uint8))
    if mode == "F":
        grey = Image.fromarray(np.full((5, 4), 0.5, np.float32))
    elif mode == "I":
        grey = Image.fromarray(np.full((5, 4), 32768, np.int32))
    elif mode in ("PA", "La", "RGBa"):
        grey = grey.convert({"PA": "LA", "La": "LA", "RGBa": "RGBA"}[mode]).convert(mode)
    elif mode == "LAB":
        grey = Image.new("LAB", (4, 5), (128, 128, 128))
    else:
        grey = grey.convert("RGB").convert(mode)
    image = read_image(grey)
    assert image.shape == (5, 4, 3) and image.dtype == np.float32
    assert image.mean() == pytest.approx(0.5, abs=0.1)


def test_16_bit_png(tmp_path):
    pixels = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    image = read_image(save(tmp_path / "a.png", pixels))
    np.testing.assert_allclose(image[..., 0], pixels / 65535, atol=1e-6)


def test_alpha_is_over_white(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., 3] = [[0, 255], [51, 102]]
    expected = np.array([[1, 0], [0.8, 0.6]])
    for image in (read_image(save(tmp_path / "a.png", pixels)), read_image(pixels), read_image(pixels / 255.0)):
        np.testing.assert_allclose(image, expected[..., None] * np.ones(3), atol=1e-6)


def test_palette_transparency_is_over_white(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putdata([0, 1])
    image.save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), [[[1, 1, 1], [0, 0, 1]]])


def test_exif_orientation(tmp_path):
    image = Image.new("RGB", (4, 2))
    exif = Image.Exif()
    exif[0x0112] = 6  # EXIF orientation: a quarter turn
    image.save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (4, 2, 3)


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_allclose(read_image(tmp_path / "a.webp")[0, 0], [1, 0, 0], atol=0.01)


def test_arrays_of_all_kinds_agree(picture):
    expected = read_image(picture)
    deep = picture.astype(np.uint16) * 257
    for array in (picture / 255, picture.astype(np.float32) / 255, picture.astype(np.int64), deep):
        np.testing.assert_allclose(read_image(array), expected, atol=1e-6)
    grey = picture[..., :1]
    np.testing.assert_array_equal(read_image(grey), read_image(grey[..., 0]))
    assert read_image(grey).shape == (12, 17, 3)


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4, 3), np.inf), "NaN"),
        (np.full((4, 4, 3), 200.0), "ranges"),
        (np.full((4, 4, 3), -0.5), "ranges"),
        (np.full((4, 4), 300), "ranges"),
        (np.zeros((3, 8, 8)), "shape"),
        (np.zeros((0, 8, 3)), "shape"),
        (np.zeros(5), "shape"),
        (np.zeros((2, 4, 4, 3)), "shape"),
        (np.zeros((4, 4, 3), complex), "complex"),
        (np.full((4, 4), "x"), "numbers"),
    ],
)
def test_bad_arrays(array, says):
    with pytest.raises(WsrError, match=says):
        read_image(array)


def test_damaged_files_are_one_sentence(picture, tmp_path):
    whole = io.BytesIO()
    Image.fromarray(np.tile(picture, (9, 9, 1))).save(whole, "PNG")
    contents = {
        "empty.png": b"",
        "text.png": b"this is no image",
        "half.png": whole.getvalue()[: len(whole.getvalue()) // 2],
        "head.png": whole.getvalue()[:40],
        "bomb.png": png_header(60000, 60000),
        "large.png": png_header(8000, 8000),
        "negative.png": png_header(2**32 - 1, 1),
        "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WsrError) as error:
            read_image(tmp_path / name)
        assert name in str(error.value) and "\n" not in str(error.value), name
    with pytest.raises(WsrError, match="no image file"):
        read_image(tmp_path / "none.png")
    with open(tmp_path / "big.png", "wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(WsrError, match="33 MB"):
        read_image(tmp_path / "big.png")


def test_flipped_bytes_never_escape_as_another_error(picture, tmp_path):
    rng = np.random.default_rng(1)
    for kind in ("png", "jpg", "webp", "gif"):
        data = save(tmp_path / f"a.{kind}", picture).read_bytes()
        for _ in range(40):
            damaged = bytearray(data)
            for position in rng.integers(0, len(data), 4):
                damaged[position] = rng.integers(256)
            (tmp_path / "b.png").write_bytes(damaged)
            try:
                assert read_image(tmp_path / "b.png").shape[-1] == 3
            except WsrError:
                pass


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60))
def test_resizing_keeps_aspect_range_and_flat_colours(height, width, longest):
    image = resize_image(np.full((height, width, 3), 0.25, np.float32), longest)
    assert max(image.shape[:2]) == longest
    assert abs(min(image.shape[:2]) - max(1, longest * min(height, width) / max(height, width))) <= 1
    np.testing.assert_allclose(image, 0.25, atol=1e-5)


def test_shrinking_averages_areas():
    image = np.random.default_rng(0).random((24, 16, 3), dtype=np.float32)
    np.testing.assert_allclose(resize_image(image, 12), image.reshape(12, 2, 8, 2, 3).mean(axis=(1, 3)), atol=1e-6)
    np.testing.assert_allclose(resize_image(image, 10).mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=0.03)


def test_longest_shrinks_and_never_enlarges(picture, tmp_path):
    big = np.kron(picture, np.ones((10, 10, 1), np.uint8))
    path = save(tmp_path / "a.png", big)
    assert read_image(path, longest=50).shape == (35, 50, 3)
    np.testing.assert_allclose(read_image(path, longest=17), picture / 255, atol=0.004)
    assert read_image(path, longest=5000).shape == big.shape


def test_square_crop_is_centred():
    image = np.arange(5 * 9 * 3, dtype=np.float32).reshape(5, 9, 3)
    np.testing.assert_array_equal(square_crop(image), image[:, 2:7])


def test_folder(picture, tmp_path):
    for name in ("cats/1.png", "cats/deep/2.png", "dogs/1.png", "3.png", "01000/01234.png", ".hidden/4.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        save(tmp_path / name, picture)
    (tmp_path / "notes.txt").write_text("x")
    signals = load_image_folder(tmp_path, resolution=8)
    assert dict(zip(signals.ids, signals.classes, strict=True)) == {
        "cats/1.png": "cats", "cats/deep/2.png": "cats", "dogs/1.png": "dogs", "3.png": "", "01000/01234.png": "",
    }  # fmt: skip
    assert signals.dim == 2 and all(signal.read().shape == (8, 8, 3) for signal in signals)
    for folder in (tmp_path / "none", tmp_path / ".empty"):
        with pytest.raises(WsrError):
            load_image_folder(folder)
