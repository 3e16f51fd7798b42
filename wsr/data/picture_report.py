"""Reports on a picture file before it is fitted: its format, size and mode, and what reading it converts."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from wsr.data.images import limits_of
from wsr.data.readers.image import Opened, with_pixels
from wsr.data.resampling import fitted
from wsr.isolation import call

# How sentences name Pillow's modes.
_MODES = {
    "1": "black and white", "L": "grey", "LA": "grey with transparency", "La": "grey with transparency",
    "P": "colours of a palette", "PA": "colours of a palette", "RGB": "RGB", "RGBA": "RGB with transparency",
    "RGBa": "RGB with transparency", "CMYK": "CMYK", "YCbCr": "YCbCr", "LAB": "CIELAB", "HSV": "HSV",
    "I": "grey of 16 bits", "F": "grey as floats",
}  # fmt: skip
_TURNED = {
    2: "mirrored", 3: "turned upside down", 4: "mirrored top to bottom", 5: "turned and mirrored",
    6: "turned clockwise", 7: "turned and mirrored", 8: "turned counterclockwise",
}  # fmt: skip


@dataclass(frozen=True)
class PictureReport:
    """Properties of a picture file. width, height: in pixels, as it is displayed. mode: Pillow's. converted: whether
    its colours are converted to sRGB. transparent: whether it is composited on white. orientation: EXIF's, 1 to 8,
    where 1 means unchanged. animated: whether it has further frames, which are not read. shortened: whether it has 16
    bits a channel, of which 8 are read."""

    format: str
    width: int
    height: int
    mode: str
    converted: bool
    transparent: bool
    orientation: int
    animated: bool
    shortened: bool

    def sentences(self, resolution: int | None = None) -> list[str]:
        """Returns the report as sentences. resolution: pixels of the longer side at which the picture is fitted."""
        mode = _MODES.get(self.mode, f"grey of 16 bits ({self.mode})" if self.mode.startswith("I;16") else self.mode)
        found = [f"{self.format} picture of {self.width} × {self.height} pixels, {mode}."]
        if self.transparent:
            found.append("What is transparent is shown on white.")
        if self.converted:
            found.append("Its colours are converted to sRGB, from the colour space that it states.")
        if self.orientation in _TURNED:
            found.append(f"It is {_TURNED[self.orientation]}, as its file says (orientation {self.orientation}).")
        if self.shortened:
            found.append("Of the 16 bits of a channel 8 are read.")
        if self.animated:
            found.append("It has several frames, of which the first is read.")
        if resolution is not None and resolution < max(self.width, self.height):
            height, width = fitted((self.height, self.width), resolution)
            found.append(f"It is scaled down to {width} × {height} pixels to be fitted.")
        return found


def describe_picture(path: str | Path) -> PictureReport:
    """Reports on a file, in a child process. WsrError for the files that `read_image` refuses."""
    return call(report_of, str(path), limits=limits_of(Path(path), None))


def report_of(path: str) -> PictureReport:
    """Reports on a file in this process."""
    return with_pixels(path, _report)


def _report(opened: Opened) -> PictureReport:
    pixels, image = opened.pixels, opened.pixels.image
    transparent, mode = _transparent(image) or pixels.key is not None or pixels.frame is not None, image.mode
    if mode == "RGBA" and not transparent:
        mode = "RGB"  # WebP is decoded with transparency in any case
    width, height = image.size if pixels.orientation < 5 else image.size[::-1]
    deep = opened.kind.name == "PNG" and opened.data[24] == 16 and not mode.startswith("I")
    return PictureReport(
        opened.kind.name, width, height, mode, pixels.convert is not None, transparent, pixels.orientation,
        _animated(opened), deep,
    )  # fmt: skip


def _transparent(image: Image.Image) -> bool:
    if image.mode in ("LA", "RGBA"):
        return image.getchannel("A").getextrema()[0] < 255
    return image.has_transparency_data


def _animated(opened: Opened) -> bool:
    if opened.kind.name == "PNG":
        return b"acTL" in opened.data[: max(opened.data.find(b"IDAT"), 0)]
    try:
        return bool(getattr(Image.open(BytesIO(opened.data), formats=(opened.kind.decoder,)), "is_animated", False))
    except Exception:  # it was read, so whatever a plugin finds here does not matter
        return False
