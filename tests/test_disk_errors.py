"""What the system answers when a file cannot be written: what is wrong with the place, and what to do."""

import errno
import os

import pytest
import torch

from wsr import paths
from wsr.disk_errors import disk_error, place_error, refused
from wsr.errors import WsrError
from wsr.formats import save_tensors


@pytest.mark.parametrize("code, said", [
    ("ENOSPC", "There is no space left to write '/data/x'"), ("EDQUOT", "your quota is used up"),
    ("EFBIG", "its disk takes no file so large"), ("EROFS", "on a disk that can only be read"),
    ("EACCES", "you may not write there"), ("EPERM", "you may not write there"), ("EISDIR", "name a file in it"),
    ("ENOTDIR", "is a file and no folder"), ("EEXIST", "is a file and no folder"), ("ENAMETOOLONG", "a shorter one"),
    ("EIO", "(Input/output error): choose another path"),
])  # fmt: skip
def test_each_kind_of_refusal_says_what_is_wrong_and_what_to_do(code, said):
    number = getattr(errno, code)
    error = OSError(number, os.strerror(number), "/data/x")
    assert said in str(refused("/data/x", error)) and "'/data/x'" in str(refused("/data/x", error))
    assert (disk_error(error) is not None) == (code in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS"))
    assert (place_error(error) is not None) == (code not in ("ENOSPC", "EDQUOT", "EFBIG", "EIO"))


def test_real_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for path, said in ((tmp_path, "folder: name a file|folder, as|it is a folder"), (tmp_path / "file/x", "no folder"),
                       (tmp_path / ("x" * 300), "shorter one")):  # fmt: skip
        for write in (paths.require_writable, lambda place: save_tensors(place, {"x": torch.zeros(2)})):
            with pytest.raises(WsrError, match=said):
                write(path)
    for path, said in ((tmp_path / "file", "no folder"), (tmp_path / ("x" * 300), "shorter one")):
        with pytest.raises(WsrError, match=said):
            paths.make_dir(path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
