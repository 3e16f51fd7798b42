"""The Atlas tab's handlers, called as gradio calls them."""

import gradio as gr
import numpy as np
import pytest
import torch

from app import atlas, fit_run, library

IMAGES, SHAPES = "emoji-mlora-asym", "shapes10-mlora-asym"


def test_a_pick_shows_the_image_its_facts_its_neighbours_and_its_weights(assets):
    item = library.collection(IMAGES).ids[4]
    event = gr.EventData(None, {"id": item})
    first, around, sharp, *_ = atlas.pick(IMAGES, "UMAP", 2, "", atlas.Placed(), event, None)
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
    first, second, *_ = atlas.show(SHAPES, "UMAP", 3, item, atlas.Placed())
    assert first[1] == item and "decoding" in first[4]
    path = second[3]["value"]
    with open(path, "rb") as file:
        assert file.read(4) == b"glTF"


@pytest.mark.parametrize("forged", ["", "nothing", "../../etc/passwd", 7, None])
def test_a_forged_pick_is_told_in_a_sentence(assets, forged):
    with pytest.raises(gr.Error) as told:
        list(atlas.pick(IMAGES, "UMAP", 2, "", atlas.Placed(), gr.EventData(None, {"id": forged}), None))
    assert "Unknown item" in told.value.message


@pytest.mark.parametrize("view", [("nowhere", "UMAP", 2), (IMAGES, "LDA", 2), (IMAGES, "UMAP", 7)])
def test_a_forged_view_is_told_in_a_sentence(assets, view):
    item = library.first_pick(IMAGES)
    with pytest.raises(gr.Error) as told:
        atlas.change_view(*view, item, atlas.Placed())
    assert "Unknown" in told.value.message


def test_another_data_set_brings_its_own_map(assets):
    first, *_ = atlas.change_dataset(SHAPES, "t-SNE", 2, "whatever", atlas.Placed(), None)
    assert first[0]["value"] == "UMAP"  # there is no t-SNE of the tiny assets
    assert first[2]["value"]["layout"]["uirevision"] == f"{SHAPES}/UMAP/2"


def fitted(name, item, rank=4):
    model = library.zoo(name).representation
    vector = library.weights(name)[[library.collection(name).position(item)]]
    return fit_run.Fitted("thing", model.dim, model, vector, (1, 1), 30.0, 300)


def test_a_fit_is_placed_on_every_map_of_its_kind(assets):
    found = library.collection(IMAGES)
    own = fitted(IMAGES, found.ids[5])
    placed, nearest = atlas.place_fit(own)
    assert nearest == found.ids[5] and set(placed.points) == set(found.maps)
    for key, points in found.maps.items():
        assert np.allclose(placed.points[key], points[5], atol=1e-2)  # the very same weights, the very same place
    first, second, *_ = atlas.place(own, SHAPES, "UMAP", 2, None)
    assert first[0]["selected"] == "atlas" and first[3] == IMAGES
    assert [m["label"] for m in second[6]["highlight"] if m["role"] == "placed"] == ["your thing"]


def test_a_fit_of_another_kind_is_not_placed_and_the_reason_is_told(assets):
    own = fitted(IMAGES, library.first_pick(IMAGES))
    from wsr.fitting.fit import representation_for

    own.model = representation_for("mlp", None, 2)
    own.weights = torch.zeros(1, own.model.size)
    for case in (own, None):
        (only,) = atlas.place(case, IMAGES, "UMAP", 2, None)
        assert "wsr-failed" in only[1] and len(only) == 13
