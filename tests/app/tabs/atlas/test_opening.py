"""What the Atlas opens with, what its classes are called on the map, and what is found by name."""

import json
import shutil

import gradio as gr
import numpy as np
from atlas_values import IMAGES, SHAPES, TAB, event, values

from app.shared import library
from app.tabs.atlas import controls, handlers
from app.tabs.atlas.map import View, Visit, map_figure
from app.tabs.atlas.search import search, with_name


def test_a_class_has_its_name_in_the_middle_of_its_points_and_nothing_else_has(assets):
    found = library.collection(SHAPES)
    points, classes = found.points("UMAP", 2), np.array(found.classes)

    def middles(dims=2, **given):
        traces = map_figure(View("shapes10", "mlora-asym", "UMAP", dims, **given), Visit())["data"]
        return {trace["name"]: trace["meta"]["middle"] for trace in traces if "middle" in trace["meta"]}

    named = middles()
    assert set(named) == {"chair", "lamp", "table"}
    for cls, place in named.items():
        assert np.allclose(place, np.median(points[classes == cls], axis=0), atol=1e-4)
    assert set(middles(only=("lamp",))) == {"lamp"}
    assert not middles(dims=3)
    assert not any(middles(colour=colour) for colour in ("split", "attribute legs", "attribute height"))


def test_networks_are_found_by_id_class_and_attribute(assets):
    found = library.collection(SHAPES)
    chairs = [item for item, cls in zip(found.ids, found.classes, strict=True) if cls == "chair"]
    legs = found.index.set_index("id")["attribute legs"]
    round_ones = [item for item in chairs if legs[item] == "round"]
    shown = handlers.find(TAB, values(chairs[0], "shapes10", find=" CHA"))
    assert shown["selection"] == shown["chart"]["selected"] == shown["other"]["selected"] == chairs
    assert f"{len(chairs)} found, by name and class" in shown["found"] and shown["export"]["visible"]
    assert f"{len(chairs):,} networks" in shown["said"]
    shown = handlers.find(TAB, values(chairs[0], "shapes10", find="chair ROUND"))
    assert shown["selection"] == round_ones and "by name, class and legs" in shown["found"]
    shown = handlers.find(TAB, values(chairs[0], "shapes10", find="no such thing"))
    assert shown["chart"]["selected"] == [] and "Nothing here" in shown["found"] and not shown["export"]["visible"]
    shown = handlers.find(TAB, values(chairs[0], "shapes10", find="", found="8 found"))
    assert shown["chart"]["selected"] == shown["selection"] == [] and shown["found"] == ""
    # in an earlier version, "glasses" found no face that wears some, since each is only called round or square
    rounded = search(SHAPES, "round legs")
    assert rounded.ids == [item for item in found.ids if legs[item] == "round"] and rounded.by == ["legs"]
    assert with_name("glasses", ["none", "round", ""]) == ["none", "round glasses", ""]
    assert search(SHAPES, "1.3").ids == []  # a number of an attribute is no name
    assert search(SHAPES, ["forged"]).ids == search(SHAPES, 7 * "x").ids == []


def test_what_is_found_alone_is_opened_and_a_drawn_selection_takes_its_place(assets):
    found = library.collection(IMAGES)
    item = found.ids[4]
    assert search(IMAGES, item.upper()).one == item and "Enter opens it" in search(IMAGES, item).said
    first, *_ = handlers.open_found(TAB, values(found.ids[0], find=item), None)
    assert first["picked"] == item and item in first["facts"]
    assert list(handlers.open_found(TAB, values(item, find="food"), None)) == [gr.skip()]
    drawn = handlers.choose(TAB, values(find="food"), event(ids=found.ids[:2]))
    assert drawn["find"] == drawn["found"] == ""
    assert handlers.find(TAB, values(selection=found.ids[:2])) == gr.skip()  # the page says that the text has changed
    kept, *_ = handlers.change_collection(TAB, values(item, representation="mlp", find="food"), None)
    assert kept["find"] == "food" and kept["selection"] == search("emoji-mlp", "food").ids
    other, *_ = handlers.change_collection(TAB, values(item, "shapes10", find="food"), None)
    assert other["find"] == "" and other["selection"] == []


def test_a_link_marks_what_was_searched_for(assets):
    text = handlers.restore(TAB, {"find": "food"})["find"]
    shown = handlers.find(TAB, values(library.first_pick(IMAGES), find=text))
    assert shown["chart"]["selected"] == search(IMAGES, "food").ids != []
    # where the page is built with other data, the text comes before its map, and is searched for with it
    first, *_ = handlers.opened(TAB, values(library.first_pick(SHAPES), "shapes10", find="lamp", on_map=IMAGES), None)
    assert first["selection"] == search(SHAPES, "lamp").ids != [] and "found, by name and class" in first["found"]
    first, *_ = handlers.opened(TAB, values(library.first_pick(IMAGES), find="food"), None)
    assert first["chart"]["selected"] == search(IMAGES, "food").ids


def test_the_tab_opens_where_classes_lie_together_by_measurement(assets, tmp_path, monkeypatch):
    assert controls.opening() == "emoji"  # the tiny assets' probes are all equal
    reports = shutil.copytree(assets, tmp_path / "assets") / "reports"
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))

    def measured(**accuracy):
        rows = [
            {"data set": name, "representation": "mlora-asym", "protocol": protocol, "1-NN": one}
            for name, both in accuracy.items()
            for protocol, one in zip(("raw", "prepared"), both, strict=True)
        ]
        rows += [{"data set": "emoji", "representation": "mlp", "protocol": "raw", "1-NN": 99.0}]
        (reports / "table4.json").write_text(json.dumps({"rows": rows}))
        library.report.cache_clear()
        return controls.opening()

    assert measured(emoji=(40.0, 95.0), shapes10=(90.0, 90.0)) == "shapes10"
    assert measured(emoji=(91.0, 20.0), shapes10=(90.0, 90.0)) == "emoji"
    assert controls.linked({})[0] == controls.first_view("emoji")
    (reports / "table4.json").unlink()
    library.report.cache_clear()
    assert controls.opening() == "emoji"


def test_a_page_that_opens_with_a_shape_shows_its_picture_until_it_is_to_be_turned(assets):
    item = library.first_pick(SHAPES)
    asked = values(item, "shapes10")
    *parts, _ = handlers.opened(TAB, asked, None)
    assert all("glb" not in str(part.get("surface")) for part in parts)
    assert "data:image/png" in parts[-1]["frame"]["value"] and parts[-1]["turn"]["visible"]
    waiting, turned, *_ = handlers.turn(TAB, asked, None)
    assert "decoding" in waiting["facts"] and "decoding" not in turned["facts"]
    assert turned["surface"]["value"].endswith(".glb") and not turned["turn"]["visible"]
    first, *_ = handlers.pick(TAB, asked | {"dataset": "emoji"}, event(id=library.collection(IMAGES).ids[4]), None)
    assert not first["turn"]["visible"]
