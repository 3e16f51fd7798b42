"""Unpacks ZIP archives that somebody else has made, within limits, and into the given folder only."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

from wsr.errors import WsrError, counted
from wsr.formats.files import refuse_stand_in, shown
from wsr.limits import MB

MOST_FILES, MOST_BYTES = 20_000, 128 * MB
_CHUNK = MB
_LEFT_OUT = ("__MACOSX", ".DS_Store")  # what systems add by themselves
_ENCRYPTED = 0x1  # a flag of an entry


def is_archive(path: Path) -> bool:
    """Tells whether a file is a ZIP archive by its first bytes. Checkpoints of PyTorch and .npz files are archives too:
    their names say what they are."""
    with open(path, "rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def unpack(path: Path, folder: Path, *, files: int = MOST_FILES, size: int = MOST_BYTES) -> None:
    """Unpacks an archive into a folder. WsrError, and nothing should be used of what is there, for an archive that is
    damaged or protected, that holds more than `files` files or `size` bytes once unpacked (whatever it states), or an
    entry that is a link or leads out of the folder."""
    refuse_stand_in(path, "a ZIP archive")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir() and not _is_left_out(one)]
            _check(entries, path, files, size)
            for entry in entries:
                size -= _write(archive, entry, folder, size, path)
    except WsrError:
        raise
    except Exception as error:  # zipfile and its decompressors raise many types for a damaged file
        brief = " ".join(str(error).split())[:120]
        raise WsrError(f"{shown(path.name)} is an archive that cannot be unpacked ({brief}): make it again.") from None


def _is_left_out(entry: zipfile.ZipInfo) -> bool:
    return any(part in _LEFT_OUT for part in _parts(entry))


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...]:
    return PurePosixPath(entry.filename.replace("\\", "/")).parts


def _check(entries: list[zipfile.ZipInfo], path: Path, files: int, size: int) -> None:
    if len(entries) > files:
        raise WsrError(f"{shown(path.name)} holds {counted(len(entries), 'file')}, and at most {files:,} are unpacked.")
    if (stated := sum(one.file_size for one in entries)) > size:
        raise _too_large(path, stated, size)
    seen = set()
    for one in entries:
        name, parts = shown(one.filename, 80), _parts(one)
        if ".." in parts or not parts or parts[0] == "/" or ":" in parts[0]:
            raise WsrError(f"{shown(path.name)} holds {name}, which leads out of its folder: nothing was unpacked.")
        if stat.S_ISLNK(one.external_attr >> 16):
            raise WsrError(f"{shown(path.name)} holds {name}, which is a link: put the file itself into the archive.")
        if one.flag_bits & _ENCRYPTED:
            raise WsrError(f"{shown(path.name)} is protected by a password: make it again without one.")
        if parts in seen:
            raise WsrError(f"{shown(path.name)} holds {name} twice: make it again.")
        seen.add(parts)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, room: int, path: Path) -> int:
    """Unpacks one entry and returns its size. What an entry states may be false, so it is counted."""
    target = folder.joinpath(*_parts(entry))
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(entry) as source, open(target, "wb") as file:
        while part := source.read(_CHUNK):
            written += len(part)
            if written > room:
                raise _too_large(path, written, room)
            file.write(part)
    return written


def _too_large(path: Path, found: int, most: int) -> WsrError:
    return WsrError(
        f"{shown(path.name)} unpacks to {found / MB:,.0f} MB or more, and at most {most / MB:,.0f} MB are taken: bring "
        "a part of it."
    )
