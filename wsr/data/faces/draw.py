"""Draws a face as an SVG picture from its attributes, and rasterises it."""

import colorsys
import io
import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from PIL import Image

from wsr.data.faces.attributes import BACKGROUND, CLOTHES_COLOUR, HAIR_COLOUR, SKIN, attributes_of, signed
from wsr.data.faces.parts import PARTS
from wsr.data.signals import Attribute
from wsr.errors import WsrError

RESOLUTION = 128
# The visible square of the library's canvas (264 × 280). Whatever the jitter, it contains the tallest and the widest
# hair, and it cuts the figure off above its lower end.
LEFT, TOP, SIDE = 4.0, -13.0, 256.0
CENTRE = (132.0, 130.0)  # of the head, about which the face is rotated and scaled
# Largest difference between a colour and the named one: hue as a share of the circle, lightness and saturation of 1.
SPREAD = (0.015, 0.04, 0.08)


def draw_face(face: str, resolution: int = RESOLUTION) -> Float[np.ndarray, "r r 3"]:
    """Draws the face with this id as sRGB in [0, 1]. WsrError if the drawing libraries are not installed."""
    return rasterise(svg_of(face, attributes_of(face)), resolution)


def rasterise(svg: str, resolution: int) -> Float[np.ndarray, "r r 3"]:
    """Rasterises a square, opaque SVG picture as sRGB in [0, 1]."""
    try:
        from resvg_py import svg_to_bytes
    except ModuleNotFoundError:
        raise _missing() from None
    # no part has text, and searching the system's fonts takes longer than drawing
    png = svg_to_bytes(svg, width=resolution, height=resolution, skip_system_fonts=True)
    with Image.open(io.BytesIO(bytes(png))) as picture:
        return np.asarray(picture.convert("RGB"), np.float32) / 255


def svg_of(face: str, attributes: Mapping[str, Attribute]) -> str:
    """Draws a face with these attributes as an SVG picture. face: its id, which decides the exact colours."""
    tinted = {name: tint(face, name, named[attributes[name]]) for name, named in _COLOURS.items()}
    right, down = (attributes[name] * SIDE / RESOLUTION for name in ("right", "down"))
    x, y = CENTRE
    moved = (
        f"translate({x + right:.4f} {y + down:.4f}) rotate({attributes['turn']:.4f}) "
        f"scale({attributes['scale']:.5f}) translate({-x} {-y})"
    )
    namespaces, figure = _figure(attributes, tinted)
    return (
        f'<svg {namespaces} width="{RESOLUTION}" height="{RESOLUTION}" viewBox="{LEFT} {TOP} {SIDE} {SIDE}">'
        f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="{tinted["background"]}"/>'
        f'<g transform="{moved}">{figure}</g></svg>'
    )


_COLOURS = {"skin": SKIN, "hair colour": HAIR_COLOUR, "clothes colour": CLOTHES_COLOUR, "background": BACKGROUND}


def tint(face: str, name: str, colour: str) -> str:
    """Returns a face's own colour around a named one, both as "#rrggbb"."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    middle = colorsys.rgb_to_hls(red, green, blue)
    parts = zip(("hue", "lightness", "saturation"), middle, SPREAD, strict=True)
    hue, light, saturation = (value + most * signed(face, f"{name} {part}") for part, value, most in parts)
    own = colorsys.hls_to_rgb(hue % 1.0, min(max(light, 0.0), 1.0), min(max(saturation, 0.0), 1.0))
    return "#" + "".join(f"{round(255 * value):02x}" for value in own)


def _figure(attributes: Mapping[str, Attribute], colours: Mapping[str, str]) -> tuple[str, str]:
    """Returns the library's picture of a face without the enclosing <svg> tag: the namespaces that the tag declares,
    and the elements."""
    try:
        import python_avatars as library
    except ModuleNotFoundError:
        raise _missing() from None
    part = {name: values[attributes[name]] for name, values in PARTS.items()}
    # every argument is given, because the library draws the others at random
    drawn = library.Avatar(
        style=library.AvatarStyle.TRANSPARENT,
        top=library.HairType(part["hair"]),
        eyebrows=library.EyebrowType(part["brows"]),
        eyes=library.EyeType(part["eyes"]),
        nose=library.NoseType(part["nose"]),
        mouth=library.MouthType(part["mouth"]),
        facial_hair=library.FacialHairType(part["facial hair"]),
        accessory=library.AccessoryType(part["glasses"]),
        clothing=library.ClothingType(part["clothes"]),
        skin_color=colours["skin"],
        hair_color=colours["hair colour"],
        facial_hair_color=colours["hair colour"],
        clothing_color=colours["clothes colour"],
    ).render()
    frame, _, figure = drawn.partition(">")
    return " ".join(re.findall(r'xmlns(?::\w+)?="[^"]*"', frame)), figure.removesuffix("</svg>")


def _missing() -> WsrError:
    return WsrError(
        "The faces are drawn by python_avatars and resvg_py, which are not installed: run `pip install "
        "python-avatars resvg-py`."
    )
