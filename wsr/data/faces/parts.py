"""The name of the library's file for each value of an attribute."""

from collections.abc import Mapping

from wsr.data.faces.attributes import NONE

PARTS: Mapping[str, Mapping[str, str]] = {
    "hair": {
        "bald": "no_hair", "buzz cut": "buzzcut", "caesar": "caesar", "side part": "caesar_side_part",
        "flat": "short_flat", "waved": "short_waved", "quiff": "quiff", "pompadour": "pompadour", "sides": "sides",
        "mohawk": "mohawk", "pixie": "pixie", "short curls": "short_curly", "curls": "curly", "frizzle": "frizzle",
        "short dreads": "short_dreads_1", "cornrows": "cornrows", "wild": "wild", "bob": "bob", "page": "mia_wallace",
        "straight": "straight_1", "smooth": "straight_2", "strand": "straight_strand", "long": "long_not_too_long",
        "curvy": "curvy", "bun": "bun",
    },
    "facial hair": {
        NONE: "", "light beard": "beard_light", "medium beard": "beard_medium", "long beard": "beard_magestic",
        "fancy moustache": "moustache_fancy", "thick moustache": "moustache_magnum",
    },
    "eyes": {
        "open": "default", "happy": "happy", "squint": "squint", "wide": "surprised", "side": "side", "wink": "wink",
    },
    "brows": {
        "level": "default", "arched": "default_natural", "flat": "flat_natural", "angry": "angry",
        "raised": "raised_excited", "worried": "sad_concerned", "one up": "up_down",
    },
    "nose": {"small": "small", "medium": "default", "wide": "wide"},
    "mouth": {
        "smile": "smile", "grin": "twinkle", "serious": "serious", "sad": "sad", "worried": "concerned",
        "open": "disbelief", "tongue": "tongue",
    },
    "glasses": {NONE: "", "round": "round", "square": "prescription_02", "thin": "prescription_01"},
    "clothes": {
        "blazer and shirt": "blazer_shirt", "blazer and sweater": "blazer_sweater", "collar": "collar_sweater",
        "hoodie": "hoodie", "overall": "overall", "crew neck": "shirt_crew_neck", "scoop neck": "shirt_scoop_neck",
        "v neck": "shirt_v_neck",
    },
}  # fmt: skip
