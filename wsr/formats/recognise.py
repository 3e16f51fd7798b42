"""Recognises what a file holds by its content, for messages about files whose names promise something else."""

import re

from wsr.picture_formats import described, offered

LFS = b"version https://git-lfs"
HEAD = 4096  # bytes that are examined
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")  # byte order marks
_PAGE = re.compile(
    rb"<(?:!doctype(?!\s+svg)|html|head|body|(?:\?xml|!--)(?!.*<(?:svg|collada)\b))", re.DOTALL
)  # fmt: skip
# First bytes of other common files.
_BEGINNINGS = {
    b"glTF": "a GLB mesh",
    b"Kaydara FBX": "an FBX scene, which is not read",
    b"; FBX": "an FBX scene, which is not read",
    b"BLENDER": "a Blender scene, which is not read",
    b"PK\x03\x04": "a ZIP archive, which must be unpacked first",
    b"\x1f\x8b": "a gzip archive, which must be unpacked first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive, which must be unpacked first",
    b"Rar!": "a RAR archive, which must be unpacked first",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive, which must be unpacked first",
    b"\x7fELF": "a program",
    b"PAR1": "a Parquet table",
}
_OBJ_LINE = re.compile(rb"(?:v|vn|vt|vp|f|o|g|s|mtllib|usemtl)[ \t]+\S")


def stand_in(head: bytes, what: str) -> str:
    """Describes a Git LFS pointer or a web page that was found in place of `what` ("a base"), with a remedy, as a
    clause that follows the file's name; "" for any other file."""
    if head.startswith(LFS):
        return (
            f"is a Git LFS pointer, not {what}: fetch the file that it stands for by running `git lfs install` and "
            "`git lfs pull` in its repository"
        )
    if is_page(head):
        remedy = "the address that it was fetched from returns a page; fetch the file itself"
        return f"is a web page, not {what}: {remedy}"
    return ""


def is_page(head: bytes) -> bool:
    """Returns whether a file begins like a web page, or like the XML with which servers refuse a request."""
    return _PAGE.match(_text(head).lower()) is not None


def mesh_kind(data: bytes) -> str:
    """Returns the format of the mesh in a file ("obj", "off", "stl", "ply" or "glb"); "" if its content does not
    tell."""
    head = _text(data)
    if data.startswith(b"glTF"):
        return "glb"
    if re.match(rb"ply\s", head):
        return "ply"
    if re.match(rb"(?:ST)?C?N?4?n?OFF\b|OFF\d", head):
        return "off"
    if re.match(rb"solid\b", head.lower()) and b"facet" in head.lower():
        return "stl"
    if len(data) >= 84 and len(data) == 84 + 50 * int.from_bytes(data[80:84], "little"):
        return "stl"
    lines = [line.strip() for line in head.splitlines()]
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return "obj" if _OBJ_LINE.match(first) else ""


def content_of(data: bytes) -> str:
    """Returns what a file holds, as a noun with its article ("an STL mesh"); "" if its content does not tell."""
    head = data[:HEAD]
    if head.startswith(LFS):
        return "a Git LFS pointer"
    if is_page(head):
        return "a web page"
    if kind := offered(head[:64]):
        return f"{_article(kind.name)} {kind.name} picture"
    if kind := mesh_kind(data):
        return f"{_article(kind.upper())} {kind.upper()} mesh"
    if (begun := next((what for begin, what in _BEGINNINGS.items() if head.startswith(begin)), "")) or (
        begun := described(head)
    ):
        return begun
    text = _text(head)
    if text.startswith(b"<") and b"<COLLADA" in text:
        return "a COLLADA scene (.dae), which is not read"
    if text.startswith(b"{") and b'"asset"' in text:
        return "a glTF scene as text (.gltf), which is read as one GLB file only"
    if text.startswith(b"{") or text.startswith(b"["):
        return "a JSON text"
    if len(data) > 8 and data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data):
        return "a safetensors file of weights"
    return ""


def _text(data: bytes) -> bytes:
    """Returns the beginning of a text without its byte order mark, zero bytes (of UTF-16) and leading blanks."""
    head = data[:HEAD]
    head = next((head[len(mark) :] for mark in _MARKS if head.startswith(mark)), head)
    return head.replace(b"\0", b"").lstrip()


def _article(word: str) -> str:
    return "an" if word[:1] in "AEIO" or word[:2] in ("ST", "FB") else "a"
