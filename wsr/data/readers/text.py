"""Converts the text of mesh files of any encoding and line ends to ASCII bytes with uniform line ends."""

import codecs

from wsr.data.mesh_limits import Refusal

# Names and comments may be in any encoding; geometry is ASCII. Other bytes become blanks.
_PLAIN = bytes(byte if 32 < byte < 127 or byte in b"\n\r" else 32 for byte in range(256))
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip


def plain_text(data: bytes) -> bytes:
    """Decodes text in ASCII, UTF-8 or UTF-16, with or without a byte order mark. A Refusal for binary data."""
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    start = data[:512]
    if encoding is None and b"\0" in start:
        # every second byte of ASCII in UTF-16 is zero
        for name, zeros, letters in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
            if not any(zeros) and all(letters):
                encoding = name
        if encoding is None:
            raise Refusal("it is binary, where plain text (ASCII, UTF-8 or UTF-16) is needed")
    if encoding is not None:
        data = data.decode(encoding, "replace").encode("ascii", "replace")
    return data.translate(_PLAIN).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def filled_lines(text: bytes) -> list[bytes]:
    """Returns the lines that are not blank."""
    return [line for line in text.split(b"\n") if line and not line.isspace()]
