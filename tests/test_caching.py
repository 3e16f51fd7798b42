"""A value read from a file is dropped when the file is replaced."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from wsr.caching import cached_by_file, file_stamp
from wsr.paths import atomic_path


def write(path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text)


@pytest.fixture
def read(tmp_path):
    """A cached function that reads a file, and counts its calls."""
    calls = []

    @cached_by_file(lambda name, *_, **__: [tmp_path / name], maxsize=2)
    def read(name: str, times: int = 1) -> str:
        """Reads a file, if the cache does not have it."""
        calls.append(name)
        return (tmp_path / name).read_text() * times

    read.calls = calls
    return read


def test_a_file_is_read_once_and_again_when_it_was_made_anew(read, tmp_path):
    write(tmp_path / "a", "one")
    assert [read("a"), read("a"), read("a", times=2)] == ["one", "one", "oneone"] and len(read.calls) == 2
    write(tmp_path / "a", "two")
    assert read("a") == "two" and read("a", times=2) == "twotwo" and len(read.calls) == 4
    assert read.__name__ == "read" and read.__doc__ == "Reads a file, if the cache does not have it."


def test_the_same_size_and_time_are_no_excuse(read, tmp_path):
    write(tmp_path / "a", "one")
    before = os.stat(tmp_path / "a")
    assert read("a") == "one"
    write(tmp_path / "a", "two")
    os.utime(tmp_path / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert read("a") == "two"


def test_the_cache_keeps_the_last_results_and_no_errors(read, tmp_path):
    for name in "abc":
        write(tmp_path / name, name)
        read(name)
    assert read.cache_len() == 2
    read("c"), read("b")
    assert read.calls == ["a", "b", "c"]
    read("a")
    assert read.calls == ["a", "b", "c", "a"]
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            read("d")
    write(tmp_path / "d", "now")
    assert read("d") == "now"
    read.cache_clear()
    assert read.cache_len() == 0


def test_names_that_no_file_can_have_are_no_files(tmp_path):
    assert file_stamp([tmp_path / ("x" * 5000), "nul\0", tmp_path / "none"]) == (None, None, None)


def test_threads_share_it(read, tmp_path):
    write(tmp_path / "a", "one")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: read("a"), range(200))) == {"one"}
    assert read.cache_len() == 1
