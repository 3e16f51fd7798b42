"""The Atlas tab's handlers, called as gradio calls them."""

import threading
import time

import gradio as gr
import numpy as np
import pandas as pd
import pytest
import torch
from atlas_values import IMAGES, SHAPES, TAB, event, values
from safetensors.torch import load_file

from app.shared import library, networks
from app.shared.fitted import Fitted
from app.shell import looking
from app.tabs.atlas import controls, handlers, panel, placing, project, selection
from app.tabs.atlas.map import OWN, View, Visit, map_figure
from app.tabs.atlas.place import place_fit
from wsr import WsrError

PLACING = placing.Placing(TAB, "tabs", "their state")


def projecting(method, dims=2, neighbours=10, min_dist=0.1, metric="euclidean"):
    return dict(zip(TAB.projecting.settings, (method, dims, neighbours, min_dist, metric), strict=True))


def test_a_pick_shows_the_image_its_facts_its_neighbours_and_its_weights(assets):
    item = library.collection(IMAGES).ids[4]
    first, around, sharp, *_ = handlers.pick(TAB, values(), event(id=item), None)
    assert first["picked"] == item and item in first["facts"]
    small, large = first["frame"]["value"], sharp["frame"]
    assert small.count("data:image/png") == 1 and first["surface"]["visible"] == "hidden"
    assert large.count("data:image/png") == 1 and len(large) > len(small)
    chart, nearest, heat = around["chart"], around["nearest"], around["heat"]
    roles = [mark["role"] for mark in chart["highlight"]]
    assert roles.count("picked") == 1 and roles.count("neighbour") == 6
    ringed = [mark["id"] for mark in chart["highlight"] if mark["role"] == "neighbour"]
    assert ringed == [shown["id"] for shown in nearest["value"]]
    assert {trace["name"] for trace in heat["data"]} == {"A", "B"}


def test_a_shape_comes_after_everything_that_is_quick(assets):
    item = library.collection(SHAPES).ids[4]
    first, second, *_ = panel.show(View("shapes10", "mlora-asym", "UMAP", 3), item, Visit())
    assert first.picked == item and "decoding" in first.facts and "wsr-waits" in first.facts
    assert item in first.frame["value"]  # in place of what was open before
    assert "wsr-waits" not in second.facts
    path = second.surface["value"]
    with open(path, "rb") as file:
        assert file.read(4) == b"glTF"


@pytest.mark.parametrize("forged", ["", "nothing", "../../etc/passwd", 7, None])
def test_a_forged_pick_is_told_in_a_sentence(assets, forged):
    with pytest.raises(gr.Error) as told:
        list(handlers.pick(TAB, values(), event(id=forged), None))
    assert "Unknown item" in told.value.message


@pytest.mark.parametrize(
    "forged",
    [
        {"dataset": "nowhere"}, {"representation": "../mlp"}, {"method": "LDA"}, {"dims": 7}, {"colour": "id"},
        {"only": ["unicorns"]}, {"metric": "l1"}, {"form": "x"},
    ],
)  # fmt: skip
def test_a_forged_view_is_told_in_a_sentence(assets, forged):
    with pytest.raises(gr.Error) as told:
        handlers.change_view(TAB, values(library.first_pick(IMAGES), **forged))
    assert "Unknown" in told.value.message or "Neighbours need" in told.value.message


def test_another_data_set_brings_its_own_map_and_another_representation_keeps_the_item(assets):
    item = library.collection(IMAGES).ids[4]
    first, second, *_ = handlers.change_collection(TAB, values(item, "shapes10", method="t-SNE"), None)
    assert first["method"]["value"] == "UMAP"  # the tiny assets have no t-SNE
    assert first["chart"]["value"]["layout"]["uirevision"] == f"{SHAPES}/UMAP/2"
    assert first["selection"] == [] and "selection" not in second
    first, *_ = handlers.change_collection(TAB, values(item, "emoji", "mlp", "PCA", 3), None)
    assert first["chart"]["value"]["layout"]["uirevision"] == "emoji-mlp/PCA/3" and first["picked"] == item


def test_a_projection_chosen_before_the_representation_has_come_is_what_the_controls_say(assets):
    """The representation's answer brought its own projection into the control, and the map was the one asked for."""
    item, asked = library.collection(IMAGES).ids[4], {"dataset": "emoji", "kind": "mlp"}
    before, *_ = handlers.change_collection(TAB, values(item, *asked.values(), "UMAP", 2), None)
    assert before["method"]["value"] == "UMAP" and before["dims"]["value"] == 2
    after = handlers.change_view(TAB, values(item, *asked.values(), "PCA", 3))
    assert after["chart"]["value"]["layout"]["uirevision"] == "emoji-mlp/PCA/3"
    assert (after["method"], after["dims"], after["representation"]) == ("PCA", 3, "mlp")


@pytest.mark.parametrize("colour", ["class", "split", "quality", library.CLUSTER])
def test_points_are_coloured_by_what_is_asked_for(assets, colour):
    figure = map_figure(View("emoji", "mlp", "UMAP", 2, colour), Visit())
    assert sum(len(trace["customdata"]) for trace in figure["data"]) == 23
    assert ("colorbar" in figure["data"][0]["marker"]) == (colour == "quality")
    if colour == "split":
        assert {trace["name"] for trace in figure["data"]} == {"heldout", "train"}
    with_class = [name for trace in figure["data"] for name in trace["meta"].get("names", [trace["name"]])]
    assert set(with_class) == {"animals", "food", "people"}  # the tip states the class whatever the colours show


def test_points_are_coloured_by_any_attribute(assets):
    choices = dict(controls.offered(View("shapes10", "mlora-asym", "UMAP", 2), Visit())["colour"]["choices"])
    assert choices["height"] == "attribute height" and choices["legs"] == "attribute legs"
    emoji = controls.offered(View("emoji", "mlp", "UMAP", 2), Visit())["colour"]["choices"]
    assert not {"height", "legs"} & dict(emoji).keys()
    shown = handlers.change_view(TAB, values(library.collection(SHAPES).ids[4], "shapes10", colour="attribute height"))
    (trace,) = shown["chart"]["value"]["data"]
    assert trace["marker"]["colorbar"]["title"]["text"] == "height"
    shown = handlers.change_view(TAB, values(library.collection(SHAPES).ids[4], "shapes10", colour="attribute legs"))
    names = {trace["name"]: len(trace["customdata"]) for trace in shown["chart"]["value"]["data"]}
    assert set(names) == {"round", "square", "no class"} and sum(names.values()) == 23  # lamps and tables have no legs


def test_a_class_that_is_looked_for_stands_out(assets):
    figure = map_figure(View("emoji", "mlp", "UMAP", 2, only=("food",)), Visit())
    assert [trace["name"] for trace in figure["data"]] == ["others", "food"]
    assert figure["data"][0]["marker"]["opacity"] < 0.3


def test_a_selection_is_summed_up_marked_on_both_maps_and_taken_home(assets, tmp_path):
    ids = library.collection(IMAGES).ids[2:6]
    shown = handlers.choose(TAB, values(), event(ids=[*ids, "forged"]))
    assert shown["chart"]["selected"] == shown["other"]["selected"] == shown["selection"] == ids
    assert "4 networks" in shown["said"] and "on average" in shown["said"] and shown["export"]["visible"]
    alone = handlers.choose(TAB, values(), event(ids=ids[:1]))["said"]
    assert "1 network" in alone and "1 networks" not in alone and "on average" not in alone
    assert len(handlers.export(TAB, values(selection=ids), None)["files"]["value"]) == 2
    table, weights = selection.export(IMAGES, ids, tmp_path)
    assert pd.read_csv(table)["id"].tolist() == ids
    stored = load_file(weights)["weights"]
    assert torch.equal(stored, networks.weights(IMAGES)[2:6])
    with pytest.raises(WsrError, match="between 1"):
        selection.export(IMAGES, [], tmp_path)


def test_the_map_beside_it_shows_the_same_networks(assets):
    item = library.collection(IMAGES).ids[4]
    shown = handlers.compare(TAB, values(item, compare="lora", selection=[item]))
    assert "wsr-away" not in shown["other_column"]["elem_classes"] and shown["other"]["selected"] == [item]
    assert shown["other"]["value"]["layout"]["uirevision"] == "emoji-lora/UMAP/2"
    marks = handlers.mark(TAB, values(item, compare="lora"))["other"]["highlight"]
    assert [mark["id"] for mark in marks if mark["role"] == "picked"] == [item]
    assert handlers.compare(TAB, values(item))["other_column"]["elem_classes"][-1] == "wsr-away"
    assert handlers.mark(TAB, values(item)) == gr.skip() and "other" not in handlers.change_view(TAB, values(item))


def test_neighbours_depend_on_the_measure_and_are_found_in_canonical_form_too(assets):
    item = library.collection(IMAGES).ids[4]
    for metric in ("cosine", "l2"):
        for form in ("raw", "canonical"):
            shown = handlers.change_neighbours(TAB, values(item, metric=metric, form=form))
            assert len(shown["nearest"]) == 6 and item not in [one["id"] for one in shown["nearest"]]
            assert len(shown["chart"]["highlight"]) == 7


def shown(asked):
    return [part for part in project.show(TAB, asked, None) if isinstance(part, dict) and "__type__" not in part]


def test_a_projection_is_shown_as_the_page_is_once_it_is_done(assets):
    """In an earlier version, it came as the page was when it began: with the map of a data set that had been left, or
    in the colours and with the picked point of before."""
    asked, other = values(library.collection(IMAGES).ids[4]), values(library.first_pick(SHAPES), "shapes10")
    TAB.job.prepare(None)
    *_, made = project.project(TAB, asked | projecting("pca"), None)
    (left,) = shown(other | made)
    assert not {"chart", "method", "faith"} & set(left) and "among the projections of Emoji" in left["own state"]
    assert (IMAGES, 2) in left["visit"].projections and left["own made"] is None
    now = asked | {"picked": library.collection(IMAGES).ids[5], "only": library.collection(IMAGES).classes[:1]}
    drawn, _ = shown(now | made)
    assert {"id": now["picked"], "role": "picked"} in drawn["chart"]["highlight"]
    assert drawn["chart"]["value"] == handlers.change_view(TAB, now | drawn | {"method": OWN})["chart"]["value"]
    assert shown(asked | {"own made": None}) == []


def test_a_projection_of_ones_own_is_shown_and_judged(assets):
    asked = values(library.collection(IMAGES).ids[4])
    TAB.job.prepare(None)
    *_, made = project.project(TAB, asked | projecting("pca"), None)
    last, judged = shown(asked | made)
    assert "among the projections of Emoji" in last["own state"]
    assert last["method"]["value"] == OWN and last["dims"] == 2
    assert "trustworthiness" in judged["faith"]
    assert last["chart"]["value"]["layout"]["uirevision"] == f"{IMAGES}/{OWN}/2"
    assert np.isfinite(last["visit"].projections[IMAGES, 2]).all()
    there = asked | {"visit": last["visit"], "method": OWN}
    # it is in two dimensions: who asks for three gets another map in three, and who asks for it gets it in two
    deep = handlers.change_dims(TAB, there | {"dims": 3})
    assert (deep["method"], deep["dims"]) == ("UMAP", 3)
    assert deep["chart"]["value"]["layout"]["uirevision"] == f"{IMAGES}/UMAP/3"
    again = handlers.change_view(TAB, there | {"dims": 3})
    assert (again["method"], again["dims"]) == (OWN, 2)
    TAB.job.stop(None)
    *_, last = project.project(TAB, asked | projecting("pca"), None)
    assert "Stopped" in last["own state"] or "own made" in last
    *_, last = project.project(TAB, asked | projecting("lda"), None)
    assert "Unknown projection" in last["own state"]


def fitted(name, item, rank=4):
    model = networks.zoo(name).representation
    vector = networks.weights(name)[[library.collection(name).position(item)]]
    return Fitted("thing", model, vector, (1, 1), 30.0, 300)


def test_a_fit_is_placed_on_every_map_of_its_kind(assets):
    found = library.collection(IMAGES)
    own = fitted(IMAGES, found.ids[5])
    placed, where, nearest = place_fit(own, Visit())
    assert where.name == IMAGES and nearest == found.ids[5] and set(placed.points) == set(found.maps)
    for key, points in found.maps.items():
        assert np.allclose(placed.points[key], points[5], atol=1e-2)  # equal weights are placed at the same point
    first, second, third, *_ = placing.place(PLACING, own, Visit(), None)
    assert third["frame"]["value"].count("<img") == 2 and "your thing" in third["frame"]["value"]
    assert f"nearest to them among {len(found.ids)}: {found.labels[5]}." in third["facts"]
    assert first["tabs"]["selected"] == "atlas" and first["dataset"] == "emoji"
    assert first["representation"]["value"] == "mlora-asym" and first["visit"].label == "your thing"
    assert [m["label"] for m in second["chart"]["highlight"] if m["role"] == "placed"] == ["your thing"]


def test_nothing_of_the_map_before_stays_when_a_fit_is_placed(assets):
    """All points were grey beside the summary of a selection on another map, whose download failed; the second map and
    the table stayed those of other data."""
    own = fitted(IMAGES, library.first_pick(IMAGES))
    first, *_ = placing.place(PLACING, own, Visit(), None)
    assert first["chart"]["selected"] == first["selection"] == [] and not first["export"]["visible"]
    assert first["find"] == first["found"] == "" and first["compare"]["value"] == "none"
    assert first["other_column"]["elem_classes"][-1] == "wsr-away" and "MLP" in str(first["compare"]["choices"])
    assert {first["metric"], first["form"]} == {"cosine", "raw"} and {"table", "said", "files", "faith"} <= set(first)


def test_a_shape_that_is_placed_and_the_nearest_one_are_turned_together(assets):
    """A button turned the nearest one alone, and took the visitor's own from the page."""
    first, *_, last, _ = placing.place(PLACING, fitted(SHAPES, library.first_pick(SHAPES)), Visit(), None)
    assert first["turn"] == gr.update(visible=False) and first["facts"] == "" and "turn" not in last
    assert last["frame"]["value"].count("data-turns") == 2 and "Drag one to turn" in last["frame"]["value"]


def test_a_fit_that_no_map_holds_is_not_placed_and_the_reason_is_told(assets):
    own = fitted(IMAGES, library.first_pick(IMAGES))
    from wsr.fitting.fit import representation_for

    own.model = representation_for("mlora-asym", None, 2, rank=2)
    own.weights = torch.zeros(1, own.model.size)
    for case in (own, None):
        (only,) = placing.place(PLACING, case, Visit(), None)
        assert set(only) == {"their state"} and "wsr-failed" in only["their state"]


def test_a_projection_that_takes_too_long_is_a_sentence(assets, monkeypatch):
    """It would keep the work of all other visitors waiting."""
    monkeypatch.setattr(project, "SECONDS", 0.001)
    TAB.job.prepare(None)
    item = library.collection(IMAGES).ids[4]
    *_, last = project.project(TAB, values(item) | projecting("tsne"), None)
    assert "wsr-failed" in last["own state"] and "took more than 0.001 s and was given up" in last["own state"]


def test_few_surfaces_are_decoded_at_once(assets, monkeypatch):
    now, most = [], []

    def decode(name, item, resolution):
        now.append(item)
        most.append(len(now))
        time.sleep(0.1)
        now.remove(item)
        return b"glb"

    monkeypatch.setattr(networks, "surface_glb", decode)
    monkeypatch.setattr(panel, "SURFACE_SIZE", 17)  # a size that no other test has put into the cache
    items = library.collection(SHAPES).ids
    items = (items * 12)[:12] if len(items) < 12 else items[:12]
    threads = [threading.Thread(target=panel._surface_file, args=(SHAPES, item)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most and max(most) <= looking.AT_ONCE
