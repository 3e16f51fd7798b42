"""Converts colours to sRGB by a picture's ICC profile, or by the shorter tags that describe a colour space.

As browsers do: an ICC profile comes first (in PNG, cICP before it), an sRGB tag says that nothing is to be done, and
gAMA with cHRM describes a gamma and primaries. Profiles that are broken or of another colour model than the picture are
ignored, and so are the transfer functions of high dynamic range (PQ, HLG), which have no unique equivalent in sRGB.
"""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageCms

# (…, 1) grey, (…, 3) RGB or (…, 4) CMYK in [0, 1] to (…, 3) sRGB in [0, 1]; both float32
Converter = Callable[[Float[np.ndarray, "... c"]], Float[np.ndarray, "... 3"]]

_D65 = (0.3127, 0.3290)
_SRGB = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
_ADOBE = (0.640, 0.330, 0.210, 0.710, 0.150, 0.060)
# By the numbers of ITU-T H.273, in cICP and in the nclx boxes of HEIC and AVIF.
_PRIMARIES = {1: _SRGB, 9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046), 12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)}
_SRGB_CURVE = 0.0  # in place of an exponent
# BT.709 and its likes are shown with sRGB's curve, as browsers do with still pictures
_TRANSFERS = {1: _SRGB_CURVE, 6: _SRGB_CURVE, 13: _SRGB_CURVE, 14: _SRGB_CURVE, 15: _SRGB_CURVE, 4: 2.2, 5: 2.8, 8: 1.0}
_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def from_profile(profile: bytes | None, channels: int) -> Converter | None:
    """Returns the conversion by an ICC profile for pictures of 1, 3 or 4 channels; None if the profile is broken, of
    another colour model, or sRGB."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = _SPACES.get(source.profile.xcolor_space)
        if mode is None or (mode == "CMYK") != (channels == 4) or (mode == "L" and channels != 1):
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return _worth_it(_greys(transform, mode) if channels == 1 else _bytes_through(transform, mode), channels)
    except Exception:  # lcms and Pillow raise many kinds, and a picture is a picture without its profile
        return None


def from_chunks(chunks: dict[bytes, bytes], profile: bytes | None, channels: int) -> Converter | None:
    """Returns the conversion by a PNG's chunks and its decompressed profile."""
    if len(code := chunks.get(b"cICP", b"")) == 4:
        return from_code_points(code[0], code[1], channels)
    if profile:
        return from_profile(profile, channels)
    gamma = int.from_bytes(chunks.get(b"gAMA", b"")[:4], "big") / 100_000
    if b"sRGB" in chunks or not 0.1 <= gamma <= 10:
        return None
    xy = [x / 100_000 for x in np.frombuffer(chunks.get(b"cHRM", b"")[:32].ljust(32, b"\0"), ">u4").tolist()]
    white, primaries = (xy[:2], xy[2:]) if all(xy) else (_D65, _SRGB)
    # a gamma of 1/2.2 is what encoders write who mean sRGB
    return described_by(primaries, white, _SRGB_CURVE if abs(gamma - 0.45455) < 0.005 else 1 / gamma, channels)


def from_code_points(primaries: int, transfer: int, channels: int) -> Converter | None:
    """Returns the conversion by the code points of ITU-T H.273."""
    if primaries not in _PRIMARIES or transfer not in _TRANSFERS:
        return None
    return described_by(_PRIMARIES[primaries], _D65, _TRANSFERS[transfer], channels)


def adobe_rgb(channels: int) -> Converter | None:
    """Returns the conversion from Adobe RGB (1998), which cameras declare in EXIF alone."""
    return described_by(_ADOBE, _D65, 563 / 256, channels)


def described_by(primaries, white, exponent: float, channels: int) -> Converter | None:
    """Returns the conversion by primaries (x, y of red, green and blue), a white point and an exponent (0: sRGB's
    curve)."""
    try:
        matrix = np.linalg.inv(_to_xyz(_SRGB, _D65)) @ _adapted(white) @ _to_xyz(primaries, white)
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    if channels == 4 or not np.isfinite(matrix).all():
        return None
    matrix = matrix.T.astype(np.float32)

    def convert(values: np.ndarray) -> np.ndarray:
        linear = _linear(values) if exponent == _SRGB_CURVE else values**exponent
        if values.shape[-1] == 3:
            linear = linear @ matrix
        return np.broadcast_to(_encoded(linear), (*values.shape[:-1], 3))

    return _worth_it(convert, channels)


def _linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def _encoded(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055).astype(np.float32)


def _to_xyz(primaries, white) -> Float[np.ndarray, "3 3"]:
    """Returns the matrix from linear RGB to XYZ that maps (1, 1, 1) to the white point at Y = 1."""
    columns = np.array([[x, y, 1 - x - y] for x, y in zip(primaries[::2], primaries[1::2], strict=True)]).T  # (3, 3)
    return columns * np.linalg.solve(columns, _white_xyz(white))


def _white_xyz(white) -> Float[np.ndarray, "3"]:
    x, y = white
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adapted(white) -> Float[np.ndarray, "3 3"]:
    """Returns the matrix from XYZ under one white point to XYZ under D65 (Bradford adaptation)."""
    gains = (_BRADFORD @ _white_xyz(_D65)) / (_BRADFORD @ _white_xyz(white))
    return np.linalg.inv(_BRADFORD) @ (gains[:, None] * _BRADFORD)


def _bytes_through(transform: ImageCms.ImageCmsTransform, mode: str) -> Converter:
    def convert(values: np.ndarray) -> np.ndarray:
        flat = np.round(values.reshape(1, -1, values.shape[-1]) * 255).astype(np.uint8)
        picture = Image.frombuffer(mode, flat.shape[1::-1], flat.tobytes(), "raw", mode, 0, 1)
        return (np.asarray(transform.apply(picture), np.float32) / 255).reshape(*values.shape[:-1], 3)

    return convert


def _greys(transform: ImageCms.ImageCmsTransform, mode: str) -> Converter:
    """Returns the conversion of grey values by one curve for each colour. It keeps 16 bits; lcms reduces them to 8."""
    steps = np.arange(256, dtype=np.float32)[:, None] / 255
    curves = _bytes_through(transform, mode)(np.repeat(steps, len(mode), axis=1))  # (256, 3)

    def convert(values: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(values[..., 0], steps[:, 0], curve) for curve in curves.T], -1).astype(np.float32)

    return convert


def _worth_it(convert: Converter, channels: int) -> Converter | None:
    """Returns None if the conversion changes no colour by more than one step of 8 bits. Most profiles are sRGB, and
    their pictures stay exact."""
    if channels == 4:
        return convert
    levels = np.linspace(0, 1, 6, dtype=np.float32)
    cube = np.stack(np.meshgrid(*[levels] * channels, indexing="ij"), -1)  # (6, …, channels)
    return convert if np.abs(convert(cube) - cube).max() > 1.01 / 255 else None
