import numpy as np
import pytest
from PIL import Image

from precompute.selection import zoo_signals
from wsr.data import load_signals
from wsr.data.parts import folder_and_part
from wsr.errors import WsrError


@pytest.fixture
def folder(tmp_path):
    """Seven cats, five dogs and two ants."""
    for cls, count in (("cats", 7), ("dogs", 5), ("ants", 2)):
        (tmp_path / "few" / cls).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(np.full((4, 4, 3), 20 * i, np.uint8)).save(tmp_path / "few" / cls / f"{i}.png")
    return tmp_path / "few"


def test_the_first_of_a_folder(folder):
    whole, part = load_signals(f"images:{folder}"), load_signals(f"images:{folder}#6")
    assert part.ids == whole.ids[:6] and part.name == f"images:{folder}#6" and part.splits == whole.splits[:6]
    assert load_signals(part.name, [part.ids[3]])[0].sha256() == whole[3].sha256()


def test_so_many_of_each_of_the_largest_classes(folder):
    part = load_signals(f"images:{folder}#2x4")
    assert part.classes == ["cats"] * 4 + ["dogs"] * 4 and part.ids == sorted(part.ids)
    kept = set(part.ids)
    for name in set(load_signals(f"images:{folder}").ids) - kept:
        (folder / name).unlink()  # what is drawn does not depend on those that are not
    assert set(load_signals(f"images:{folder}#2x4").ids) == kept


@pytest.mark.parametrize(
    ("part", "says"),
    [("", "'#' is no part"), ("0", "is no part"), ("3x", "is no part"), ("15", "holds 14 images, and 15"),
     ("3x3", "no 3 classes of 3 each: cats 7, dogs 5, ants 2"), ("4x1", "no 4 classes of 1 each")],
)  # fmt: skip
def test_parts_that_there_are_not(folder, part, says):
    with pytest.raises(WsrError, match=says):
        load_signals(f"images:{folder}#{part}")


def test_a_folder_of_such_a_name_is_meant_as_a_whole(folder):
    strange = folder.rename(folder.with_name("few#3"))
    assert len(load_signals(f"images:{strange}")) == 14 and len(load_signals(f"images:{strange}#3")) == 3
    assert folder_and_part(str(strange)) == (str(strange), "")


def test_experiments_fit_all_of_a_part(folder):
    assert sorted(zoo_signals(f"images:{folder}#2x4").ids) == load_signals(f"images:{folder}#2x4").ids
