"""Pictures as cameras, phones, editors and microscopes write them, of kinds that caused bug reports in other tools."""

import io
import struct
import zlib
from functools import partial

import numpy as np
import pytest
from data import made_pictures as made
from data.made_pictures import assert_quarters, encoded, in_eight, quarters, written
from PIL import Image, PngImagePlugin

# --- metadata


GARBAGE = {
    "letters": b"this is no TIFF",
    "empty": b"",
    "short": b"II*\0",
    "beyond": b"II*\0\xff\xff\xff\x7f",
    "tags": b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\xff\xff\xff\xff" * 4,
    # orientation 6, written as the text "6"
    "text": b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x02\0\0\0" + b"6\0\0\0" + bytes(4),
    "nine": b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + b"\x09\0\0\0" + bytes(4),
}


@pytest.mark.parametrize("kind", ["png", "png after", "png crc", "JPEG", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("garbage", list(GARBAGE))
def test_exif_that_nobody_can_read_is_no_reason_to_refuse(tmp_path, kind, garbage):
    exif = GARBAGE[garbage]
    if kind.startswith("png"):
        data = made.png(quarters(), 2, more=[made.chunk(b"eXIf", exif)] if kind != "png after" else [])
        if kind == "png after":
            data = data[:-12] + made.chunk(b"eXIf", exif) + data[-12:]
        elif kind == "png crc":
            at = data.index(b"eXIf") + 4 + len(exif)
            data = data[:at] + b"\0\0\0\0" + data[at + 4 :]
    elif kind == "JPEG":
        segment = b"Exif\0\0" + exif
        plain = encoded("JPEG", quality=95)
        data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    else:
        whole = Image.Exif()
        whole[0x010E] = "x" * 60
        valid = whole.tobytes()
        data = encoded(kind, **({"quality": 95} if kind != "HEIF" else {}), exif=valid)
        block = valid.removeprefix(b"Exif\0\0")
        assert block in data
        data = data.replace(block, exif[: len(block)].ljust(len(block), b"\xaa"))
    assert_quarters(in_eight(written(tmp_path, data)))


def test_exif_turns_every_format_that_carries_it(tmp_path):
    exif = Image.Exif()
    upright = quarters()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        stored = upright if orientation < 5 else upright.transpose(1, 0, 2)
        turns = {2: np.fliplr, 3: partial(np.rot90, k=2), 4: np.flipud, 6: np.flipud, 8: np.fliplr}
        if orientation in turns:
            stored = turns[orientation](stored)
        elif orientation == 7:
            stored = np.rot90(stored, 2)
        for kind in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF"):
            data = encoded(kind, np.ascontiguousarray(stored), exif=exif.tobytes())
            assert_quarters(in_eight(written(tmp_path, data)), 16)


def test_large_text_and_profiles_are_no_bombs(tmp_path):
    text = zlib.compress(b"x" * 5_000_000)
    noise = np.random.default_rng(0).integers(0, 256, 2_500_000, dtype=np.uint8).tobytes()
    many = [made.chunk(b"iTXt", b"k\0\0\0\0\0" + b"y" * 2_000_000)] * 5
    for more in (
        [made.chunk(b"zTXt", b"k\0\0" + text)],
        [made.chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + text)],
        [made.chunk(b"zTXt", b"k\0\7" + text)],
        many,
        [made.iccp(made.rgb_profile(made.SRGB, 2.2) + noise)],
        [made.chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(200 * 2**20)))],
        [made.chunk(b"iCCP", b"x\0\0broken")],
        [made.chunk(b"iCCP", b"none"), made.chunk(b"pHYs", b"1"), made.chunk(b"sRGB", b""), made.chunk(b"tIME", b"")],
    ):
        assert_quarters(in_eight(written(tmp_path, made.png(quarters(), 2, more=more))))
    assert PngImagePlugin.MAX_TEXT_CHUNK == 2**20  # Pillow's own limits are not changed for other code in this process


# --- colours


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_profiles_are_converted_in_every_format(tmp_path, kind):
    colours = [(207, 60, 48), (200, 200, 200), (60, 140, 90)]
    pixels = np.kron(np.array([colours], np.uint8), np.ones((16, 16, 1), np.uint8))
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 100}}
    data = encoded(kind, pixels, icc_profile=made.rgb_profile(), **options.get(kind, {}))
    found = in_eight(written(tmp_path, data))
    for i, colour in enumerate(colours):
        assert np.abs(found[8, 16 * i + 8] - made.in_srgb(colour, made.P3, 2.0)).max() <= 5


def test_profiles_of_grey_of_inks_and_with_palettes_and_alpha(tmp_path):
    grey = np.full((4, 4), 100)
    expected = made.in_srgb((100,) * 3, made.SRGB, 1.0)
    linear = made.iccp(made.grey_profile(1.0))
    for pixels, depth in ((grey, 8), (grey * 257, 16)):
        found = in_eight(written(tmp_path, made.png(pixels, 0, depth, [linear])))
        assert np.abs(found - expected).max() <= 1
    wide = made.iccp(made.rgb_profile())
    red = made.in_srgb((207, 60, 48), made.P3, 2.0)
    palette = [wide, made.chunk(b"PLTE", bytes((207, 60, 48, 0, 0, 0))), made.chunk(b"tRNS", bytes((128, 0)))]
    found = in_eight(written(tmp_path, made.png(np.array([[0, 1]]), 3, 8, palette)))
    assert np.abs(found[0, 0] - (red * 128 / 255 + 127)).max() <= 3 and (found[0, 1] == 255).all()
    half = np.full((2, 2, 4), (207, 60, 48, 128))
    assert np.abs(in_eight(written(tmp_path, made.png(half, 6, 8, [wide]))) - (red * 128 / 255 + 127)).max() <= 3
    inks = np.zeros((16, 32, 4), np.uint8)
    inks[:, :16, 0] = 255
    buffer = io.BytesIO()
    Image.fromarray(inks, "CMYK").save(buffer, "JPEG", quality=100, icc_profile=made.cmyk_profile())
    found = in_eight(written(tmp_path, buffer.getvalue(), "a.jpg"))
    assert np.abs(found[8, 4] - (255, 0, 0)).max() <= 25 and found[8, 28].min() >= 250


@pytest.mark.parametrize("profile", [
    b"", b"x", bytes(4000), made.rgb_profile()[:200], made.rgb_profile()[:128] + b"\xff" * 400,
    made.grey_profile(1.0), made.cmyk_profile(), made.rgb_profile(made.SRGB, 2.2)[:-30],
])  # fmt: skip
def test_broken_profiles_and_those_of_other_kinds_are_ignored(tmp_path, profile):
    assert_quarters(in_eight(written(tmp_path, made.png(quarters(), 2, more=[made.iccp(profile)]))), 0)
    data = encoded("JPEG", quality=95, icc_profile=profile)
    assert_quarters(in_eight(written(tmp_path, data, "a.jpg")))


def test_gamma_primaries_and_code_points_of_png(tmp_path):
    def found(more, colour=(207, 60, 48)):
        return in_eight(written(tmp_path, made.png(np.full((1, 1, 3), colour), 2, more=more)))[0, 0]

    gamma = lambda value: made.chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))  # noqa: E731
    xy = [*made.D65, *sum(made.P3, ())]
    primaries = made.chunk(b"cHRM", struct.pack(">8I", *(round(x * 100_000) for x in xy)))
    plain, srgb = np.array((207, 60, 48)), made.chunk(b"sRGB", b"\0")
    for more in ([gamma(0.45455)], [gamma(1.0), srgb], [primaries], [gamma(0)], [made.chunk(b"gAMA", b"\0")],
                 [gamma(0.45455), made.chunk(b"cHRM", bytes(32))], [made.chunk(b"cICP", bytes((1, 13, 0, 1)))],
                 [made.chunk(b"cICP", bytes((9, 16, 0, 1)))]):  # fmt: skip
        assert np.abs(found(more) - plain).max() <= 1
    assert np.abs(found([gamma(1.0)]) - made.in_srgb(plain, made.SRGB, 1.0)).max() <= 1
    assert np.abs(found([gamma(0.5), primaries]) - made.in_srgb(plain, made.P3, 2.0)).max() <= 1
    wide = lambda curve: made.chunk(b"cICP", bytes((12, curve, 0, 1)))  # noqa: E731
    assert np.abs(found([wide(4), gamma(1)]) - made.in_srgb(plain, made.P3, 2.2)).max() <= 1
    assert np.abs(found([wide(13)]) - (225, 40, 35)).max() <= 4  # the colour that a browser shows


# --- transparency


@pytest.mark.parametrize(
    ("pixels", "colour", "depth", "transparent", "expected"),
    [
        ([[0, 1]], 0, 1, (0,), [255, 255]),
        ([[0, 1]], 0, 1, (1,), [0, 255]),
        ([[0, 1, 2, 3]], 0, 2, (1,), [0, 255, 170, 255]),
        ([[0, 3, 15]], 0, 4, (3,), [0, 255, 255]),
        ([[0, 100]], 0, 8, (100,), [0, 255]),
        ([[0, 100 * 257, 100 * 257 + 1]], 0, 16, (100 * 257,), [0, 255, 100]),
        ([[[10, 20, 30], [10, 20, 31]]], 2, 8, (10, 20, 30), [(255,) * 3, (10, 20, 31)]),
        ([[[2570, 5140, 7710], [2570, 5140, 7711]]], 2, 16, (2570, 5140, 7710), [(255,) * 3, (10, 20, 30)]),
        ([[[0, 0], [0, 255], [100, 51]]], 4, 8, None, [255, 0, 224]),
        ([[[0, 0], [0, 65535]]], 4, 16, None, [255, 0]),
        ([[[0, 0, 0, 0], [9, 8, 7, 255]]], 6, 8, None, [(255,) * 3, (9, 8, 7)]),
        ([[[0, 0, 0, 0], [2570, 5140, 7710, 65535]]], 6, 16, None, [(255,) * 3, (10, 20, 30)]),
    ],
)
def test_transparency_of_every_png_is_on_white(tmp_path, pixels, colour, depth, transparent, expected):
    more = [] if transparent is None else [made.chunk(b"tRNS", struct.pack(f">{len(transparent)}H", *transparent))]
    found = in_eight(written(tmp_path, made.png(np.array(pixels), colour, depth, more)))
    expected = np.array(expected)
    assert np.abs(found[0] - (expected if expected.ndim == 2 else expected[:, None])).max() <= 1


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_transparency_of_palettes(tmp_path, depth):
    palette = made.chunk(b"PLTE", bytes((255, 0, 0, 0, 0, 255)))
    for alphas, expected in (((0,), [(255,) * 3, (0, 0, 255)]), ((255, 0), [(255, 0, 0), (255,) * 3]),
                             ((102, 204), [(255, 153, 153), (51, 51, 255)])):  # fmt: skip
        more = [palette, made.chunk(b"tRNS", bytes(alphas))]
        found = in_eight(written(tmp_path, made.png(np.array([[0, 1]]), 3, depth, more)))
        assert np.abs(found[0] - np.array(expected)).max() <= 1


def test_shrinking_weighs_by_alpha(tmp_path):
    """A black and a transparent pixel become a grey one over white; the colour of the transparent pixel has no effect.
    """
    pixels = np.zeros((4, 8, 4), int)
    pixels[:, ::2, 3] = 255
    pixels[:, 1::2, 0] = 255
    found = in_eight(written(tmp_path, made.png(pixels, 6)), longest=4)
    assert found.shape == (2, 4, 3) and np.abs(found - 127.5).max() <= 1


def test_first_frames_that_cover_a_part_are_on_white(tmp_path):
    red = np.full((24, 12, 3), (230, 30, 30), np.uint8)
    frame, size, at = Image.fromarray(red), (32, 24), (20, 0)
    palette = bytes((230, 30, 30, 10, 10, 10))
    control = struct.pack(">IIIIIHHBB", 0, 12, 24, 20, 0, 1, 10, 0, 0)
    apng = [made.chunk(b"acTL", struct.pack(">II", 2, 0)), made.chunk(b"fcTL", control)]
    gif = made.partial_gif(size, at, Image.new("P", (12, 24)), palette)
    for name, data in {
        "two.webp": made.partial_webp(size, at, frame),
        "one.webp": made.partial_webp(size, at, frame, frames=1),
        "a.gif": gif,
        "a.png": made.png(red, 2, more=apng, canvas=size),
    }.items():
        found = in_eight(written(tmp_path, data, name))
        assert found.shape == (24, 32, 3), name
        assert (found[12, 6] == 255).all() and np.abs(found[12, 26] - (230, 30, 30)).max() <= 4, name
        small = in_eight(written(tmp_path, data, name), longest=16)
        assert (small[6, 3] == 255).all() and np.abs(small[6, 13] - (230, 30, 30)).max() <= 4, name


def test_broken_animation_chunks_leave_the_picture(tmp_path):
    more = [made.chunk(b"acTL", b"\0"), made.chunk(b"fcTL", b"\0\0")]
    assert_quarters(in_eight(written(tmp_path, made.png(quarters(), 2, more=more))), 0)


def test_tiff_with_white_at_zero(tmp_path):
    pixels = np.array([[0, 65535]], np.uint16)
    path = tmp_path / "a.tif"
    Image.fromarray(pixels).save(path, tiffinfo={262: 0})
    assert in_eight(path)[0, :, 0].tolist() in ([255, 0], [0, 255])
    data = bytearray(path.read_bytes())
    with Image.open(path) as opened:
        assert opened.tag_v2[262] in (0, 1)
    entry = struct.pack("<HHI", 262, 3, 1)
    struct.pack_into("<H", data, data.index(entry) + 8, 0)
    assert in_eight(written(tmp_path, bytes(data), "b.tif"))[0, :, 0].tolist() == [255, 0]
