"""Reduces a PNG to the chunks that its pixels need. Text, times and profiles, which may be large or broken, are removed
before decoding; chunks that describe colours and orientation are returned separately."""

import zlib
from dataclasses import dataclass, field

WANTED = (b"eXIf", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP")
MAX_PROFILE = 32 * 2**20  # bytes of a colour profile, unpacked


@dataclass
class Lean:
    """A reduced PNG. data: the file with its critical chunks and its transparency alone. chunks: the first one of each
    other kind that matters for display."""

    data: bytes
    chunks: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def profile(self) -> bytes | None:
        """The ICC profile, or None if there is none or it cannot be decompressed."""
        packed = self.chunks.get(b"iCCP", b"")
        name = packed.find(b"\0")
        if name < 0 or packed[name + 1 : name + 2] != b"\0":
            return None
        try:
            unpacker = zlib.decompressobj()
            profile = unpacker.decompress(packed[name + 2 :], MAX_PROFILE)
        except zlib.error:
            return None
        return profile if unpacker.eof else None


def lean(data: bytes) -> Lean:
    """Splits a PNG file into chunks and sorts them. Anything after the last valid chunk is kept unchanged for the
    decoder."""
    view, kept, chunks = memoryview(data), [data[:8]], {}
    size, partial, pixels, at = data[16:24], [], False, 8
    while at + 12 <= len(data):
        kind, end = data[at + 4 : at + 8], at + 12 + int.from_bytes(data[at : at + 4], "big")
        pixels = pixels or kind == b"IDAT"
        if end > len(data) or not kind.isalpha():
            break
        if not kind[0] & 32 or kind == b"tRNS":  # a capital letter: critical
            kept.append(view[at:end])
        elif kind in WANTED:
            chunks.setdefault(kind, data[at + 8 : end - 4])
        elif not pixels and (kind, end - at - 12) in ((b"acTL", 8), (b"fcTL", 26)):
            partial.append(view[at:end])
        at = end
    kept.append(view[at:])
    if partial and bytes(partial[-1][12:20]) != size:  # the first frame of an animation, smaller than its canvas
        kept[2:2] = partial
    return Lean(b"".join(kept), chunks)
