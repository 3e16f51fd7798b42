"""The registry of data sets: what is looked up by name, and the order."""

import sys

import numpy as np
import pytest

from wsr.data import Signals, load_signals, registry
from wsr.data.registry import DataSet, everything, find, groups, named, names, order, slug
from wsr.errors import WsrError
from wsr.modalities import IMAGE


def toys(part: str | None = None) -> Signals:
    ids = [f"toy-{i}" for i in range(4)]
    made = [IMAGE.signal(item, np.zeros((8, 8, 3), np.float32), f"c{i % 2}") for i, item in enumerate(ids)]
    return Signals("toys" if part is None else f"toys/{part}", 2, [s for s in made if part in (None, s.cls)], IMAGE)


TOYS = DataSet(name="toys", title="Toys", modality=IMAGE, load=toys, classes=("c0", "c1"), place=2)


def test_data_sets_are_looked_up_once():
    assert find("shapes10/chair") == (named("shapes10"), "chair") and find("faces") == (named("faces"), None)
    assert find("images:faces/somewhere") == (None, "somewhere")
    with pytest.raises(WsrError, match="did you mean 'faces'"):
        load_signals("face")


def test_a_part_that_is_registered_is_a_data_set_that_says_of_which_it_is_a_part():
    people, part = find("emoji/people")
    assert (people.title, people.part_of, part) == ("People", "emoji", "people")
    assert people.load == named("emoji").load and people.group_of("1f44b-1f3fb@20") == "1f44b"
    assert not people.liked and not people.first_class, "what is liked of the whole need not be in the part"
    assert "emoji/people" not in names() and people in everything(parts=True)


def test_the_order_is_by_place_and_parts_follow_the_whole():
    assert names() == ("emoji", "faces", "shapes10")
    with registry.registered(TOYS, TOYS.part("c0", "Some toys")):
        assert [one.name for one in everything(parts=True)][1:5] == ["emoji/people", "faces", "toys", "toys/c0"]
        assert order("toys") < order("toys/c0") < order("shapes10") < order("images:anything")
        assert load_signals("toys/c1").ids == ["toy-1", "toy-3"]
        with pytest.raises(WsrError, match="did you mean 'toys'"):
            load_signals("toy")
        with pytest.raises(WsrError, match="registered already"):
            registry.register(TOYS)
    assert find("toys") == (None, None)


def test_what_a_data_set_knows_of_an_id():
    assert named("emoji").label_of("1f44b-1f3fb") == "waving hand (light skin tone)"
    assert named("shapes10").label_of("1f98a") == named("faces").group_of("1f98a") == "1f98a"
    assert groups("emoji/people", ["1f44b-1f3fb@20", "not code points"]) == ["1f44b", "not code points"]
    assert groups("images:x", ["1f44b-1f3fb@20"]) == ["1f44b-1f3fb"]


def test_what_the_registry_states_of_built_in_data_sets_is_true():
    from wsr.data import emoji, faces, shapes10

    stated = {"emoji": emoji.CLASSES, "faces": faces.CLASSES, "shapes10": shapes10.CATEGORIES}
    for name, classes in stated.items():
        assert sorted(named(name).classes) == sorted(classes) and named(name).first_class in classes
    for name in ("faces", "shapes10"):
        shown = load_signals(name).select([*named(name).liked, *named(name).samples])
        assert {signal.split for signal in shown} == {"validation"}
    for item in (*named("emoji").liked, *named("emoji").samples):
        assert emoji.family_split(named("emoji").group_of(item)) == "heldout", item


def test_what_has_to_be_fetched_is_here_once_it_has_been(tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    assert not named("emoji").is_here and named("shapes10").is_here
    (tmp_path / "emoji").mkdir()
    (tmp_path / "emoji/groups.json").write_text("{}")
    assert named("emoji").is_here


@pytest.mark.parametrize("missing", ["python_avatars", "resvg_py"])
def test_what_needs_packages_is_here_where_they_are(missing, monkeypatch):
    assert named("faces").is_here
    monkeypatch.setitem(sys.modules, missing, None)  # as where it is not installed
    assert not named("faces").is_here and named("shapes10").is_here


def test_names_in_file_names():
    assert [slug(name) for name in ("emoji/people", "images:some/where/faces/")] == ["emoji-people", "images-faces"]
