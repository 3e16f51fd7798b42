"""Links: an address that the page writes opens the same state again."""

from urllib.parse import urlencode

import gradio as gr
import pytest

from app import main
from app.shared import library
from app.shell import tabs
from app.tabs.connect import run as connect_run
from wsr import WsrError


@pytest.fixture
def address(assets):
    """The page's address handling, with the widgets of all tabs."""
    with gr.Blocks() as page:
        yield tabs.build(main.all_tabs(), page, lambda: None)


def plain(update):
    return update.get("value") if isinstance(update, dict) else update


def opened(address, **query) -> dict[str, dict]:
    """Returns the values that a link gives to each tab's widgets; none for tabs that it does not mention."""
    shown = address.read("?" + urlencode(query))
    found = {"tabs": shown.pop(address.tabs)}
    for part in address.parts:
        assert shown.keys() & set(part.outputs) in (set(), shown.keys())  # one tab's at most
        own = {name: plain(shown[widget]) for name, widget in part.widgets.items() if widget in shown}
        if own:
            found[part.tab] = own
    return found


def test_a_link_opens_the_atlas_as_it_was(address):
    item = library.collection("emoji-lora").ids[5]
    given = {"data": "emoji", "kind": "lora", "map": "PCA", "dims": "3", "colour": "quality", "only": "food,people"}
    found = opened(address, tab="atlas", **given, near="l2", form="canonical", pick=item)
    assert found["tabs"]["selected"] == "atlas" and set(found) == {"tabs", "atlas"}
    assert found["atlas"] == {
        **given,
        "dims": 3,
        "only": ["food", "people"],
        "near": "l2",
        "form": "canonical",
        "pick": item,
        "beside": "none",
    }


def test_a_link_opens_the_second_map_and_the_data_sets_own_table(address):
    given = {"data": "shapes10", "kind": "mlora-asym", "beside": "mlp"}
    values = address.read("?" + urlencode({"tab": "atlas"} | given))
    part = address.parts[0]
    beside, column, chart, table = (values[one] for one in (part.widgets["beside"], *part.extra))
    assert plain(beside) == "mlp" and column["visible"] and chart["value"]["data"]
    assert "mLoRA-Asym" in table or "Table 4" in table


def test_a_link_opens_the_other_tabs_as_they_were(address):
    target = connect_run.targets("shapes10")[2]
    shown = {"data": "shapes10", "target": target, "init": "normal"}
    found = opened(address, tab="connect", **shown, alpha="0.25", aligned="true", fit="lora,mlp", sigma="0.1")
    assert found["connect"] == {
        **shown,
        "alpha": 0.25,
        "aligned": True,
        "fit": ["lora", "mlp"],
        "sigma": 0.1,
        "lambda": 1.0,
    }
    item = library.collection("emoji-mlp").ids[4]
    found = opened(address, tab="symmetry", data="emoji", item=item, shuffle="mlp", act="sign", far="1.5", of="lora")
    assert (
        found["symmetry"] | {"item": item, "shuffle": "mlp", "act": "sign", "far": 1.5, "of": "lora"}
        == found["symmetry"]
    )
    found = opened(address, tab="symmetry", data="emoji", mask_guess="other", terms="0,2", term_guess="all")["symmetry"]
    assert (found["mask_guess"], found["terms"], found["term_guess"]) == ("other", [0, 2], "all")
    found = opened(address, tab="fit", sample="photo:cat", kind="mlp", steps="200", way="six")
    assert found["fit"] == {"sample": "photo:cat", "way": "six", "kind": "mlp", "rank": 4, "steps": 200}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"tab": "nowhere"},
        {"tab": "atlas", "kind": "gan", "data": "x"},
        {"tab": "atlas", "dims": "seven"},
        {"tab": "atlas", "beside": "gan"},
        {"tab": "atlas", "pick": "x" * 5000},
        {"tab": "connect", "alpha": "much"},
        {"tab": "connect", "target": "nobody"},
        {"tab": "connect", "fit": "gan"},
        {"tab": "symmetry", "item": "nobody"},
        {"tab": "symmetry", "terms": "0,9"},
        {"tab": "fit", "sample": "../../etc/passwd"},
        {"tab": "fit", "steps": "1e99"},
    ],
)
def test_a_link_that_makes_no_sense_opens_the_page_as_without(address, query):
    assert set(opened(address, **query)) <= {"tabs"}


def test_a_link_to_a_tab_alone_goes_there(address):
    assert opened(address, tab="symmetry") == {"tabs": gr.update(selected="symmetry")}


def test_the_page_builds(assets):
    assert isinstance(main.build_app(), gr.Blocks)


def test_what_is_not_there_is_named(address):
    with pytest.raises(WsrError, match="Unknown data set"):
        address.parts[0].restore({"data": "nowhere"})
