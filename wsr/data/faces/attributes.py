"""The attributes of a face, drawn at random from its id alone.

Every random number is a hash of the id and of the attribute's name. A face is therefore the same on every machine and
with every version of numpy, whatever was drawn before it, and adding an attribute later changes none of the others.
"""

import hashlib
from collections.abc import Mapping, Sequence

from wsr.data.signals import Attribute

NONE = "none"

# The length of each hair style. The lengths are the classes of the data set.
HAIR = {
    "bald": "bald",
    "buzz cut": "short", "caesar": "short", "side part": "short", "flat": "short", "waved": "short", "quiff": "short",
    "pompadour": "short", "sides": "short", "mohawk": "short", "pixie": "short",
    "short curls": "curly", "curls": "curly", "frizzle": "curly", "short dreads": "curly", "cornrows": "curly",
    "wild": "curly",
    "bob": "long", "page": "long", "straight": "long", "smooth": "long", "strand": "long", "long": "long",
    "curvy": "long", "bun": "long",
}  # fmt: skip
# Named colours. Each face's own colour varies a little around one of them.
SKIN = {"pale": "#FFDBB4", "light": "#EDB98A", "tanned": "#E0995C", "brown": "#C68650", "dark brown": "#9C5A2C",
        "black": "#614335"}  # fmt: skip
HAIR_COLOUR = {"black": "#2C1B18", "dark brown": "#4A312C", "brown": "#724133", "auburn": "#A55728", "red": "#C93305",
               "blonde": "#D6B370", "platinum": "#ECDCBF", "grey": "#A9A9AD"}  # fmt: skip
CLOTHES_COLOUR = {"black": "#262E33", "grey": "#8A97A3", "white": "#F4F4F4", "blue": "#4A7FD4", "navy": "#25557C",
                  "green": "#5FA777", "yellow": "#F2C744", "orange": "#EE8A4A", "red": "#D9484B",
                  "pink": "#F08AB0"}  # fmt: skip
BACKGROUND = {"sky": "#C9DDF0", "mint": "#C6E5D3", "sand": "#EADCC2", "rose": "#F0CFD2", "lilac": "#D7CDEB",
              "mist": "#D3D8DC"}  # fmt: skip
FACIAL_HAIR = (NONE, "light beard", "medium beard", "long beard", "fancy moustache", "thick moustache")
EYES = ("open", "happy", "squint", "wide", "side", "wink")
BROWS = ("level", "arched", "flat", "angry", "raised", "worried", "one up")
MOUTH = ("smile", "grin", "serious", "sad", "worried", "open", "tongue")
NOSE = ("small", "medium", "wide")
GLASSES = (NONE, "round", "square", "thin")
CLOTHES = ("blazer and shirt", "blazer and sweater", "collar", "hoodie", "overall", "crew neck", "scoop neck", "v neck")

# The values of each attribute, in the order of the columns. Half of the faces have `none` where it is a value, and the
# other values share the rest equally; without `none` all values are equally frequent.
ATTRIBUTES: Mapping[str, Sequence[str]] = {
    "skin": tuple(SKIN),
    "hair": tuple(HAIR),
    "hair colour": tuple(HAIR_COLOUR),
    "facial hair": FACIAL_HAIR,
    "eyes": EYES,
    "brows": BROWS,
    "nose": NOSE,
    "mouth": MOUTH,
    "glasses": GLASSES,
    "clothes": CLOTHES,
    "clothes colour": tuple(CLOTHES_COLOUR),
    "background": tuple(BACKGROUND),
}

# The pose varies continuously, by at most this much in either direction: pixels, share of the size, degrees.
JITTER: Mapping[str, float] = {"right": 3.0, "down": 3.0, "scale": 0.05, "turn": 4.0}


def fraction(face: str, what: str) -> float:
    """Returns a pseudo-random number in [0, 1), uniform over faces and independent for each `what`."""
    digest = hashlib.blake2b(f"{face}/{what}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # a double holds 53 bits


def signed(face: str, what: str) -> float:
    """Returns a pseudo-random number in [-1, 1), uniform over faces and independent for each `what`."""
    return 2 * fraction(face, what) - 1


def shares(attribute: str) -> dict[str, float]:
    """Returns, for each value of an attribute, the expected share of faces that have it."""
    values = ATTRIBUTES[attribute]
    if NONE not in values:
        return dict.fromkeys(values, 1 / len(values))
    return {value: 0.5 if value == NONE else 0.5 / (len(values) - 1) for value in values}


def choice(face: str, attribute: str) -> str:
    """Returns the face's value of an attribute."""
    left = fraction(face, attribute)
    for value, share in shares(attribute).items():
        if left < share:
            return value
        left -= share
    return ATTRIBUTES[attribute][-1]  # rounding lets the shares add up to a little less than 1


def attributes_of(face: str) -> dict[str, Attribute]:
    """Returns the attributes of a face: its value of each of `ATTRIBUTES`, and its pose as `right` and `down` (pixels
    of 128), `scale` (around 1) and `turn` (degrees, clockwise)."""
    found: dict[str, Attribute] = {attribute: choice(face, attribute) for attribute in ATTRIBUTES}
    moved = {name: most * signed(face, name) for name, most in JITTER.items()}
    return found | moved | {"scale": 1 + moved["scale"]}
