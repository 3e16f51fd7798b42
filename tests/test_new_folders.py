"""New folders become visible when they are complete."""

import pytest

from wsr.errors import WsrError
from wsr.paths import new_folder


def test_a_link_stands_for_the_folder_that_it_leads_to(tmp_path):
    """What had been made for hours was dropped with the words that another job had made the folder meanwhile."""
    (tmp_path / "disk/empty").mkdir(parents=True)
    for name in ("empty", "missing"):
        (tmp_path / name).symlink_to(tmp_path / "disk" / name)
        with new_folder(tmp_path / name) as folder:
            (folder / "file").write_text("x")
        assert (tmp_path / "disk" / name / "file").read_text() == "x" and (tmp_path / name).is_symlink()
        with pytest.raises(WsrError, match="exists already"), new_folder(tmp_path / name):
            pass


def test_the_folder_in_which_it_runs_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WsrError, match="is the folder that this is run in"), new_folder("."):
        raise AssertionError("nothing should be made for it")
    with pytest.raises(WsrError, match="cannot be written"), new_folder("a\0b"):
        pass
