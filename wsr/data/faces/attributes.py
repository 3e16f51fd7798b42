"""What a face looks like: its attributes, drawn from its id alone.

Every number is a hash of the id and of what it is for. So a face is the same on every machine and with every version of
numpy, whatever was drawn before it, and an attribute that is added later changes none of the others.
"""

import hashlib
from collections.abc import Mapping, Sequence

from wsr.data.signals import Attribute

NONE = "none"

# The styles of hair with their lengths, which are the classes of the data set.
HAIR = {
    "bald": "bald",
    "buzz cut": "short", "caesar": "short", "side part": "short", "flat": "short", "waved": "short", "quiff": "short",
    "pompadour": "short", "sides": "short", "mohawk": "short", "pixie": "short",
    "short curls": "curly", "curls": "curly", "frizzle": "curly", "short dreads": "curly", "cornrows": "curly",
    "wild": "curly",
    "bob": "long", "page": "long", "straight": "long", "smooth": "long", "strand": "long", "long": "long",
    "curvy": "long", "bun": "long",
}  # fmt: skip
# Named colours, around which the faces' own lie.
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

# The choices, in the order of the columns. `none` takes half of the faces and the other values share the rest; the
# values of an attribute without it are equally frequent.
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

# What makes faces continuous, with its largest amount in either direction: pixels, a share of the size, and degrees.
JITTER: Mapping[str, float] = {"right": 3.0, "down": 3.0, "scale": 0.05, "turn": 4.0}


def fraction(face: str, what: str) -> float:
    """Returns a number of [0, 1), evenly distributed over faces and independent for each `what`."""
    digest = hashlib.blake2b(f"{face}/{what}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53  # 53 bits are what a double holds


def signed(face: str, what: str) -> float:
    """Returns a number of [-1, 1)."""
    return 2 * fraction(face, what) - 1


def shares(attribute: str) -> dict[str, float]:
    """Returns how large a share of the faces has each value of an attribute."""
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
    return ATTRIBUTES[attribute][-1]  # the shares add up to a little less than 1


def attributes_of(face: str) -> dict[str, Attribute]:
    """Returns the choices of a face, by `ATTRIBUTES`, and its place: `right` and `down` in pixels of 128, `scale` about
    1, and `turn` in degrees, clockwise."""
    found: dict[str, Attribute] = {attribute: choice(face, attribute) for attribute in ATTRIBUTES}
    moved = {name: most * signed(face, name) for name, most in JITTER.items()}
    return found | moved | {"scale": 1 + moved["scale"]}
