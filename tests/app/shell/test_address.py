"""Links: what is written into the address opens the same again."""

from urllib.parse import urlencode

import gradio as gr
import pytest

from app import main
from app.shared import library
from app.shell.address import Address
from app.tabs.atlas import view as atlas
from app.tabs.connect import run as connect_run
from app.tabs.connect import view as connect_tab
from app.tabs.fit import view as fit_tab
from app.tabs.symmetry import view as symmetry_tab
from wsr import WsrError


@pytest.fixture
def address(assets):
    """The page's own, with the widgets of all tabs."""
    with gr.Blocks() as page, gr.Tabs() as tabs:
        map_tab = atlas.build()
        built = [(atlas, map_tab), (fit_tab, fit_tab.build(tabs, page, map_tab)), (connect_tab, connect_tab.build())]
        built.append((symmetry_tab, symmetry_tab.build()))
        yield Address(tabs, [module.part(tab) for module, tab in built])


def plain(update):
    return update.get("value") if isinstance(update, dict) else update


def opened(address, **query) -> dict[str, dict]:
    """The values that a link gives to each tab's widgets; nothing for a tab that it does not touch."""
    found, (tabs, *values) = {}, address.read("?" + urlencode(query))
    found["tabs"] = tabs
    for part in address.parts:
        own, values = values[: len(part.outputs)], values[len(part.outputs) :]
        if own[0] != gr.skip():
            found[part.tab] = dict(zip(part.widgets, map(plain, own), strict=False))
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
    own = values[1 : 1 + len(address.parts[0].outputs)]
    *_, beside, column, chart, table = own
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
    with pytest.raises(WsrError, match="Unknown data set"):
        atlas.restore({"data": "nowhere"})
