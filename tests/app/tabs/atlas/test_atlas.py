"""The Atlas tab's handlers, called as gradio calls them."""

import threading
import time

import gradio as gr
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from app.shared import library
from app.shell import looking
from app.tabs.atlas import beside as atlas_beside
from app.tabs.atlas import panel as atlas_panel
from app.tabs.atlas import project as atlas_project
from app.tabs.atlas import selection as atlas_select
from app.tabs.atlas import view as atlas
from app.tabs.atlas.map import OWN, View, Visit, map_figure
from app.tabs.atlas.place import place_fit
from app.tabs.fit import run as fit_run
from wsr import WsrError

IMAGES, SHAPES = "emoji-mlora-asym", "shapes10-mlora-asym"
REST = ("class", [], "cosine", "raw")
ON_IMAGES = ("emoji", "mlora-asym", "UMAP", 2, *REST)


def event(**data):
    return gr.EventData(None, data)


def test_a_pick_shows_the_image_its_facts_its_neighbours_and_its_weights(assets):
    item = library.collection(IMAGES).ids[4]
    first, around, sharp, *_ = atlas.pick(event(id=item), None, *ON_IMAGES, "", Visit())
    _, picked, frame, surface, facts, _, _ = first
    assert picked == item and item in facts
    assert frame["value"].count("data:image/png") == 1 and surface["visible"] == "hidden"
    assert sharp[2].count("data:image/png") == 1 and len(sharp[2]) > len(frame["value"])
    chart, nearest, heat = around[0], *around[5:]
    roles = [mark["role"] for mark in chart["highlight"]]
    assert roles.count("picked") == 1 and roles.count("neighbour") == 6
    ringed = [mark["id"] for mark in chart["highlight"] if mark["role"] == "neighbour"]
    assert ringed == [shown["id"] for shown in nearest["value"]]
    assert {trace["name"] for trace in heat["data"]} == {"A", "B"}


def test_a_shape_comes_after_everything_that_is_quick(assets):
    item = library.collection(SHAPES).ids[4]
    first, second, *_ = atlas_panel.show(View("shapes10", "mlora-asym", "UMAP", 3), item, Visit())
    assert first[1] == item and "decoding" in first[4]
    path = second[3]["value"]
    with open(path, "rb") as file:
        assert file.read(4) == b"glTF"


@pytest.mark.parametrize("forged", ["", "nothing", "../../etc/passwd", 7, None])
def test_a_forged_pick_is_told_in_a_sentence(assets, forged):
    with pytest.raises(gr.Error) as told:
        list(atlas.pick(event(id=forged), None, *ON_IMAGES, "", Visit()))
    assert "Unknown item" in told.value.message


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, "nowhere"), (1, "../mlp"), (2, "LDA"), (3, 7), (4, "id"), (5, ["unicorns"]), (6, "l1"), (7, "x")],
)
def test_a_forged_view_is_told_in_a_sentence(assets, position, value):
    view = [*ON_IMAGES]
    view[position] = value
    with pytest.raises(gr.Error) as told:
        atlas.change_view(*view, library.first_pick(IMAGES), Visit(), atlas.NONE)
    assert "Unknown" in told.value.message or "Neighbours are" in told.value.message


def test_another_data_set_brings_its_own_map_and_another_representation_keeps_the_item(assets):
    item = library.collection(IMAGES).ids[4]
    shapes = ("shapes10", "mlora-asym", "t-SNE", 2, *REST)
    first, *_ = atlas.change_collection(None, *shapes, item, Visit())
    assert first[1]["value"] == "UMAP"  # there is no t-SNE of the tiny assets
    chart = first[12]
    assert chart["value"]["layout"]["uirevision"] == f"{SHAPES}/UMAP/2"
    first, *_ = atlas.change_collection(None, "emoji", "mlp", "PCA", 3, *REST, item, Visit())
    assert first[12]["value"]["layout"]["uirevision"] == "emoji-mlp/PCA/3" and first[13] == item


@pytest.mark.parametrize("colour", ["class", "split", "quality", library.CLUSTER])
def test_points_are_coloured_by_what_is_asked_for(assets, colour):
    figure = map_figure(View("emoji", "mlp", "UMAP", 2, colour), Visit())
    assert sum(len(trace["customdata"]) for trace in figure["data"]) == 23
    assert ("colorbar" in figure["data"][0]["marker"]) == (colour == "quality")
    if colour == "split":
        assert {trace["name"] for trace in figure["data"]} == {"heldout", "train"}
    with_class = [name for trace in figure["data"] for name in trace["meta"].get("names", [trace["name"]])]
    assert set(with_class) == {"animals", "food", "people"}  # whatever the colour, the tip says the class


def test_a_class_that_is_looked_for_stands_out(assets):
    figure = map_figure(View("emoji", "mlp", "UMAP", 2, only=("food",)), Visit())
    assert [trace["name"] for trace in figure["data"]] == ["others", "food"]
    assert figure["data"][0]["marker"]["opacity"] < 0.3


def test_a_selection_is_summed_up_marked_on_both_maps_and_taken_home(assets, tmp_path):
    ids = library.collection(IMAGES).ids[2:6]
    chart, other, kept, said, button, _ = atlas.choose(event(ids=[*ids, "forged"]), *ON_IMAGES, "", Visit())
    assert chart["selected"] == other["selected"] == kept == ids
    assert "4 networks" in said and button["visible"]
    table, weights = atlas_select.export(IMAGES, kept, tmp_path)
    assert pd.read_csv(table)["id"].tolist() == ids
    stored = load_file(weights)["weights"]
    assert torch.equal(stored, library.weights(IMAGES)[2:6])
    with pytest.raises(WsrError, match="between 1"):
        atlas_select.export(IMAGES, [], tmp_path)


def test_the_map_beside_it_shows_the_same_networks(assets):
    item = library.collection(IMAGES).ids[4]
    column, chart = atlas_beside.compare(*ON_IMAGES, item, Visit(), "lora", [item])
    assert column["visible"] and chart["selected"] == [item]
    assert chart["value"]["layout"]["uirevision"] == "emoji-lora/UMAP/2"
    marks = atlas_beside.mark(*ON_IMAGES, item, Visit(), "lora")["highlight"]
    assert [mark["id"] for mark in marks if mark["role"] == "picked"] == [item]
    column, _ = atlas_beside.compare(*ON_IMAGES, item, Visit(), atlas.NONE, [])
    assert not column["visible"]


def test_neighbours_depend_on_the_measure_and_are_found_in_canonical_form_too(assets):
    item = library.collection(IMAGES).ids[4]
    for metric in ("cosine", "l2"):
        for form in ("raw", "canonical"):
            chart, items = atlas.change_neighbours(*ON_IMAGES[:6], metric, form, item, Visit())
            assert len(items) == 6 and item not in [one["id"] for one in items]
            assert len(chart["highlight"]) == 7


def test_a_projection_of_ones_own_is_shown_and_judged(assets):
    item, asked = library.collection(IMAGES).ids[4], ("pca", 2, 10, 0.1, "euclidean")
    atlas_project.prepare(None)
    *_, last = atlas_project.project(None, *ON_IMAGES, item, Visit(), *asked)
    said, start, stop, visit, methods, dims, chart, judged = last
    assert "Done" in said and start["interactive"] and not stop["interactive"]
    assert methods["value"] == OWN and dims == 2 and "trustworthiness" in judged
    assert chart["value"]["layout"]["uirevision"] == f"{IMAGES}/{OWN}/2"
    assert np.isfinite(visit.projections[IMAGES, 2]).all()
    atlas_project.stop(None)
    *_, last = atlas_project.project(None, *ON_IMAGES, item, Visit(), *asked)
    assert "Stopped" in last[0] or "Done" in last[0]
    *_, last = atlas_project.project(None, *ON_IMAGES, item, Visit(), "lda", 2, 10, 0.1, "euclidean")
    assert "Unknown projection" in last[0]


def fitted(name, item, rank=4):
    model = library.zoo(name).representation
    vector = library.weights(name)[[library.collection(name).position(item)]]
    return fit_run.Fitted("thing", model.dim, model, vector, (1, 1), 30.0, 300)


def test_a_fit_is_placed_on_every_map_of_its_kind(assets):
    found = library.collection(IMAGES)
    own = fitted(IMAGES, found.ids[5])
    placed, where, nearest = place_fit(own, Visit())
    assert where.name == IMAGES and nearest == found.ids[5] and set(placed.points) == set(found.maps)
    for key, points in found.maps.items():
        assert np.allclose(placed.points[key], points[5], atol=1e-2)  # the very same weights, the very same place
    first, second, *_ = atlas.place(own, Visit(), None)
    assert first[0]["selected"] == "atlas" and first[3] == "emoji" and first[4]["value"] == "mlora-asym"
    assert [m["label"] for m in second[9]["highlight"] if m["role"] == "placed"] == ["your thing"]


def test_a_fit_that_no_map_holds_is_not_placed_and_the_reason_is_told(assets):
    own = fitted(IMAGES, library.first_pick(IMAGES))
    from wsr.fitting.fit import representation_for

    own.model = representation_for("mlora-asym", None, 2, rank=2)
    own.weights = torch.zeros(1, own.model.size)
    for case in (own, None):
        (only,) = atlas.place(case, Visit(), None)
        assert "wsr-failed" in only[1] and len(only) == 16


def test_a_projection_that_takes_too_long_is_a_sentence(assets, monkeypatch):
    """Everybody else's work waits for it."""
    monkeypatch.setattr(atlas_project, "SECONDS", 0.001)
    atlas_project.prepare(None)
    item, asked = library.collection(IMAGES).ids[4], ("tsne", 2, 10, 0.1, "euclidean")
    *_, last = atlas_project.project(None, *ON_IMAGES, item, Visit(), *asked)
    assert "wsr-failed" in last[0] and "took more than 0.001 s and was given up" in last[0]
    assert last[1]["interactive"] and not last[2]["interactive"]


def test_few_surfaces_are_decoded_at_once(assets, monkeypatch):
    now, most = [], []

    def decode(name, item, resolution):
        now.append(item)
        most.append(len(now))
        time.sleep(0.1)
        now.remove(item)
        return b"glb"

    monkeypatch.setattr(library, "surface_glb", decode)
    monkeypatch.setattr(atlas_panel, "SURFACE_SIZE", 17)  # not kept by another test
    items = library.collection(SHAPES).ids
    items = (items * 12)[:12] if len(items) < 12 else items[:12]
    threads = [threading.Thread(target=atlas_panel._surface_file, args=(SHAPES, item)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most and max(most) <= looking.AT_ONCE
