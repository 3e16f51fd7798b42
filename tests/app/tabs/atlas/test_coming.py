"""What a visitor presses while another collection is on its way, and the page still shows the one before."""

from functools import partial

import gradio as gr
import pytest
from atlas_values import IMAGES, SHAPES, TAB, event, values

from app.shared import library
from app.tabs.atlas import handlers, project


def coming(**given):
    """The page's values once other data have been chosen: the controls name them, all else is of those before."""
    return values(library.collection(IMAGES).ids[4], "shapes10", on_map=IMAGES, **given)


@pytest.mark.parametrize(
    ("handler", "chosen"),
    [
        (handlers.change_view, {"method": "PCA"}),
        (handlers.change_view, {"only": ["food"]}),
        (handlers.change_neighbours, {"metric": "l2"}),
        (handlers.compare, {"compare": "lora"}),
        (project.believe, {}),
    ],
)
def test_a_choice_is_kept_and_brings_the_collection(assets, handler, chosen):
    """It was about the item of before, which the new data do not have: an error said so, and the choice was lost."""
    first, *_ = handlers.about(TAB, handler, "a topic")(coming(**chosen), None)
    asked = f"{SHAPES}/{chosen.get('method', 'UMAP')}/2"
    assert first["chart"]["value"]["layout"]["uirevision"] == asked and first["on_map"] == SHAPES
    assert first["picked"] == library.first_pick(SHAPES) and first["method"]["value"] == chosen.get("method", "UMAP")


def test_a_point_of_the_map_before_is_not_looked_for_in_another(assets):
    left, there = library.collection(IMAGES).ids[5], library.collection(SHAPES).ids[5]
    assert list(handlers.pick(TAB, coming(), event(id=left), None)) == [gr.skip()]
    first, *_ = handlers.pick(TAB, coming(), event(id=there), None)
    assert first["picked"] == there and first["on_map"] == SHAPES
    # a point that both have comes with its map, not beside the one before
    both = values(left, "emoji", "mlp", on_map=IMAGES)
    first, *_ = handlers.pick(TAB, both, event(id=left), None)
    assert first["picked"] == left and first["chart"]["value"]["layout"]["uirevision"] == "emoji-mlp/UMAP/2"


def test_what_is_about_the_map_before_does_not_end_the_answer_on_its_way(assets):
    way, item = coming(find="food", found="8 found", selection=["x"]), library.collection(IMAGES).ids[4]
    for handler in (handlers.find, handlers.mark, partial(handlers.choose, event=event(ids=[item]))):
        assert handler(TAB, way) == gr.skip()
    assert handlers.export(TAB, way, None) == gr.skip()
    for handler in (handlers.turn, handlers.open_found):
        assert list(handler(TAB, way, None)) == [gr.skip()]


def test_the_second_map_stays_where_the_data_have_one(assets):
    """It fell back to "nothing", even where it was chosen while the data were on their way."""
    asked = values(library.collection(SHAPES).ids[4], "emoji", on_map=SHAPES, compare="lora")
    for first in (
        next(handlers.about(TAB, handlers.compare, "a topic")(asked, None)),
        next(handlers.change_collection(TAB, asked, None)),
    ):
        assert first["compare"]["value"] == "lora" and "wsr-away" not in first["other_column"]["elem_classes"]
        assert first["other"]["value"]["layout"]["uirevision"] == "emoji-lora/UMAP/2"
    # the one that is on the first map itself is none beside it
    first = next(handlers.change_collection(TAB, asked | {"representation": "lora"}, None))
    assert first["compare"]["value"] == "none" and "wsr-away" in first["other_column"]["elem_classes"]
