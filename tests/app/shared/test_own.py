"""Names of visitors' zoos, what they stand for, and when they are forgotten."""

from collections import deque
from math import inf

import numpy as np
import pytest
from PIL import Image

from app.shared import own, thumbnails
from app.shared.thumbnails import CELL, EMPTY
from app.shell.address import Part
from app.tabs.atlas import handlers
from wsr.errors import WsrError
from wsr.memory import MEMORY
from wsr.zoo import Zoo


@pytest.fixture
def added(tmp_path):
    def add(visitor, file="a zoo.zip"):
        name = own.new_name()
        folder = tmp_path / visitor / name
        folder.mkdir(parents=True)
        return own.add(name, file, folder)

    yield add
    own.forget_within(tmp_path)
    for visitor in tmp_path.iterdir():
        own.forget_within(visitor)


def test_a_name_is_known_to_its_visitor_alone(added):
    mine, other = added("ann"), added("bob")
    assert mine.name != other.name and len(mine.name) > 32 and own.find(mine.name) is mine
    assert own.titles([mine.name, "yours-gone"]) == [("Yours: a zoo", mine.name)]
    own.require(mine.name, [mine.name])
    own.require("emoji", [])
    for name in (other.name, "yours-", "yours-../../x"):
        with pytest.raises(WsrError, match="is gone: it is kept for an hour"):
            own.require(name, [mine.name])
    for name in ("emoji", None, 3, ["yours-"]):
        assert own.find(name) is None and not own.is_own(name)
    assert len(added("ann", f"{'a' * 200}.zip").title) < 50


def test_what_was_kept_of_it_is_forgotten_with_it(added, tmp_path):
    mine, other = added("ann"), added("bob")
    for one in (mine, other):
        MEMORY.get(("test", (one.name, 3), ()), lambda: np.zeros(10))
    own.forget_within(tmp_path / "ann")
    assert own.find(mine.name) is None and not mine.folder.exists() and own.find(other.name) and other.folder.exists()
    assert not MEMORY.count(lambda key: mine.name in str(key)) and MEMORY.count(lambda key: other.name in str(key)) == 1


def test_of_several_the_oldest_goes(added):
    names = []
    for _ in range(own.MOST + 2):
        names = own.kept(names, added("ann").name)
        assert len(names) <= own.MOST and all(map(own.find, names))


def test_a_link_with_a_zoo_that_was_brought_says_one_sentence(assets):
    from atlas_values import TAB

    widgets = {"data": "dataset", "kind": "representation", "pick": "picked"}
    part = Part("atlas", None, widgets, lambda given: handlers.restore(TAB, given))
    shown, left_out = part.understood({"data": "yours-123", "kind": "siren", "pick": "a"})
    assert shown == {} and [str(error) for error in left_out.values()] == [own.PRIVATE]


def test_what_there_was_no_time_to_draw_is_grey(assets, tmp_path, monkeypatch):
    monkeypatch.setattr(thumbnails, "TOGETHER", 8)
    zoo = Zoo.open(assets / "zoos/emoji-mlora-asym")  # of 24 networks, of which the first has failed
    for name, seconds in (("some", 0.0), ("all", inf)):
        deque(thumbnails.drawn(zoo, tmp_path / f"{name}.webp", seconds), maxlen=0)
    found = {name: np.asarray(Image.open(tmp_path / f"{name}.webp").convert("RGB")) for name in ("some", "all")}

    def is_grey(name, number):
        row, column = (CELL * part for part in divmod(number, 5))
        middle = found[name][row + 8 : row + CELL - 8, column + 8 : column + CELL - 8].astype(int)
        return np.abs(middle - EMPTY).max() < 8

    assert [number for number in range(25) if is_grey("all", number)] == [0, 24]
    assert [number for number in range(25) if is_grey("some", number)] == [0, *range(9, 25)]
