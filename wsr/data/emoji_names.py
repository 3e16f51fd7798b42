"""What the id of an emoji says of it: its family and its name. An id is a file stem of the package, which consists of
code points."""

import re

from wsr.errors import WsrError

# skin tones, the emoji presentation selector, and the tag that ends a subdivision flag (the package leaves it out)
_NOT_FAMILY = {*range(0x1F3FB, 0x1F400), 0xFE0F, 0xE007F}
_CODE_POINTS = re.compile(r"[0-9a-f]+([-_][0-9a-f]+)*")
_TONES = re.compile(r" ((?:[a-z-]+ skin tone ?)+)$")


def family(stem: str) -> str:
    """Returns the code points of an id without skin-tone modifiers: '1f44b' for both '1f44b-1f3fb' and '1f44b'. An id
    of anything but code points is its own family."""
    if not _CODE_POINTS.fullmatch(stem):
        return stem
    points = (int(part, 16) for part in stem.replace("_", "-").split("-"))
    return "-".join(f"{point:x}" for point in points if point not in _NOT_FAMILY)


def label(stem: str) -> str:
    """Returns an id in words, by which Unicode calls its code points; an id that is none is returned unchanged.
    WsrError if the package `emoji` is not installed, which the page requires."""
    try:
        import emoji
    except ModuleNotFoundError:
        raise WsrError("The page needs emoji, which knows the names of emoji: run `pip install emoji`.") from None
    try:
        symbol = "".join(chr(int(part, 16)) for part in stem.replace("_", "-").split("-"))
    except (ValueError, OverflowError):
        return stem
    words = emoji.demojize(symbol, delimiters=("", " ")).replace("_", " ").strip()
    return stem if words == symbol else _TONES.sub(r" (\1)", words)
