"""Archives are unpacked within limits, and nowhere but into their folder."""

import io
import stat
import zipfile

import pytest

from wsr.errors import WsrError
from wsr.formats.archives import unpack


def archive(folder, entries, **options):
    path = folder / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as file:
        for name, content in entries:
            file.writestr(name, content)
    return path


def refused(path, folder, match, **limits):
    with pytest.raises(WsrError, match=match) as error:
        unpack(path, folder / "out", **limits)
    assert "\n" not in str(error.value)


def test_what_was_packed_is_unpacked_without_what_systems_add(tmp_path):
    path = archive(tmp_path, [("zoo/a.txt", b"one"), ("zoo/b/c.txt", b"two"), ("__MACOSX/zoo/._a.txt", b"x")])
    unpack(path, tmp_path / "out")
    out = tmp_path / "out"
    found = {one.relative_to(out).as_posix(): one.read_bytes() for one in out.rglob("*.txt")}
    assert found == {"zoo/a.txt": b"one", "zoo/b/c.txt": b"two"}


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "..\\out.txt", "C:\\out.txt"])
def test_nothing_leads_out_of_the_folder(tmp_path, name):
    refused(archive(tmp_path, [("fine.txt", b"x"), (name, b"x")]), tmp_path, "leads out of its folder")
    assert [one.name for one in tmp_path.rglob("*.txt")] == []


def test_links_passwords_and_entries_that_are_there_twice_are_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(archive(tmp_path, [(link, b"/etc/passwd")]), tmp_path, "is a link")
    with pytest.warns(UserWarning, match="Duplicate"):
        path = archive(tmp_path, [("a", b"1"), ("a", b"2")])
    refused(path, tmp_path, "twice")
    data = bytearray(archive(tmp_path, [("a", b"1")]).read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    path.write_bytes(data)
    refused(path, tmp_path, "password")


def test_a_bomb_is_refused_by_what_it_states_and_by_what_it_holds(tmp_path):
    path = archive(tmp_path, [(f"{i}", bytes(100_000)) for i in range(10)])
    refused(path, tmp_path, "unpacks to", size=500_000)
    refused(path, tmp_path, "holds 10 files", files=9)
    data, small = path.read_bytes(), (1000).to_bytes(4, "little")
    path.write_bytes(data.replace((100_000).to_bytes(4, "little"), small))  # it states less than it holds
    refused(path, tmp_path, "unpacks to|cannot be unpacked", size=50_000)
    unpacked = sum(one.stat().st_size for one in (tmp_path / "out").rglob("*") if one.is_file())
    assert unpacked <= 50_000


def test_what_is_cut_short_or_damaged_is_told(tmp_path):
    data = archive(tmp_path, [("a", bytes(range(256)) * 100)]).read_bytes()
    for part in (data[: len(data) // 2], data[:4], b""):
        (tmp_path / "a.zip").write_bytes(part)
        refused(tmp_path / "a.zip", tmp_path, "cannot be unpacked|is empty")
    turned = io.BytesIO(data).getvalue()[:60] + bytes([data[60] ^ 255]) + data[61:]
    (tmp_path / "a.zip").write_bytes(turned)
    refused(tmp_path / "a.zip", tmp_path, "cannot be unpacked")
