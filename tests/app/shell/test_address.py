"""Links: an address opens the state from which it was written, and parts of a link that make no sense are reported."""

import html
import re
from urllib.parse import urlencode

import gradio as gr
import pytest

from app import main
from app.shared import library
from app.shell import tabs
from app.tabs.atlas import beside as beside_map
from app.tabs.connect import run as connect_run
from wsr import WsrError
from wsr.memory import MEMORY


@pytest.fixture(scope="module")
def address(_folders):
    """The page's address handling, with the widgets of all tabs. As in the served page, one is built for all links."""
    MEMORY.drop()
    with gr.Blocks() as page:
        made = tabs.build(main.all_tabs(), page, lambda: None)
    yield made  # outside of the page, where all links are read
    MEMORY.drop()


def plain(update):
    return update.get("value") if isinstance(update, dict) else update


def opened(address, **query) -> dict[str, dict]:
    """Returns the values that a link gives to each tab's widgets; none for tabs that it does not mention."""
    shown = address.read("?" + urlencode(query))
    shown.pop(address.notice, None)
    found = {"tabs": shown.pop(address.tabs)}
    for part in address.parts:
        assert shown.keys() & set(part.outputs) in (set(), shown.keys())  # a link fills the widgets of at most one tab
        own = {name: plain(shown[widget]) for name, widget in part.widgets.items() if widget in shown}
        if own:
            found[part.tab] = own
    return found


def test_a_link_opens_the_atlas_as_it_was(address):
    item = library.collection("emoji-lora").ids[5]
    given = {"data": "emoji", "kind": "lora", "map": "PCA", "dims": "3", "colour": "quality", "only": "food,people"}
    found = opened(address, tab="atlas", **given, near="l2", form="canonical", pick=item, find="food")
    assert found["tabs"]["selected"] == "atlas" and set(found) == {"tabs", "atlas"}
    assert found["atlas"] == {
        **given,
        "dims": 3,
        "only": ["food", "people"],
        "near": "l2",
        "form": "canonical",
        "pick": item,
        "beside": "none",
        "find": "food",
    }


def test_a_link_opens_the_second_map_and_the_data_sets_own_table(address):
    given = {"data": "shapes10", "kind": "mlora-asym", "beside": "mlp"}
    values = address.read("?" + urlencode({"tab": "atlas"} | given))
    part = address.parts[0]
    beside, column, chart, table, faith = (values[one] for one in (part.widgets["beside"], *part.extra))
    assert plain(beside) == "mlp" and column["elem_classes"] == beside_map.SHOWN and chart["value"]["data"]
    assert ("mLoRA-Asym" in table or "Table 4" in table) and faith == ""  # no scores of the map before


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
        "pair": "",
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


def told(address, search):
    """What the page says about a link; "" for nothing."""
    shown = address.read(search).get(address.notice, "")
    return html.unescape("".join(re.findall("<p[^>]*>(.*?)</p>", shown)))


USUAL = "was not understood, so {} opens with its usual value instead."


@pytest.mark.parametrize(("search", "said"), [
    ("?tab=fit&rank=inf", "Rank “inf” in this link " + USUAL.format("Fit")),
    ("?tab=fit&rank=4.5", "Rank “4.5” in this link " + USUAL.format("Fit")),
    ("?tab=fit&way=nonsense", "Way “nonsense” in this link " + USUAL.format("Fit")),
    ("?tab=fit&target=nonsense", "Target “nonsense” in this link " + USUAL.format("Fit")),
    ("?tab=fit&sample=nobody&steps=nan&rank=2",
     "Sample “nobody” and steps “nan” in this link were not understood, so Fit opens with their usual values instead."),
    ("?tab=connect&alpha=nan", "Alpha “nan” in this link " + USUAL.format("Connect")),
    ("?tab=connect&alpha=7", "Alpha “7” in this link " + USUAL.format("Connect")),
    ("?tab=connect&aligned=perhaps", "Aligned “perhaps” in this link " + USUAL.format("Connect")),
    ("?tab=symmetry&far=nan", "Far “nan” in this link " + USUAL.format("Symmetry")),
    ("?tab=symmetry&seed=1.5", "Seed “1.5” in this link " + USUAL.format("Symmetry")),
    ("?tab=nonsense", "This link asks for a tab “nonsense” that is not here, so the Atlas tab is shown instead."),
    ("?tab=<script>", "This link asks for a tab “<script>” that is not here, so the Atlas tab is shown instead."),
    ("?alpha=nan", "This link says “alpha” but not for which tab, so the Atlas tab is shown as it usually opens."),
    ("?tab=fit&sample=own-file", "a visitor's own file, which is not part of a link"),
    ("?tab=atlas&map=yours", "a visitor's own projection. Links do not contain it"),
    ("", ""), ("?tab=fit", ""), ("?tab=fit&rank=3", ""), ("?__theme=dark", ""), ("?tab=fit&utm_source=mail", ""),
])  # fmt: skip
def test_what_of_a_link_was_not_understood_is_said_in_the_page(address, search, said):
    found = told(address, search)
    assert said in found and bool(found) == bool(said)
    assert "<script" not in address.read(search).get(address.notice, "")


def test_valid_parts_of_a_partly_wrong_link_are_shown(address):
    found = opened(address, tab="fit", sample="photo:coffee", kind="mlp", rank="inf", steps="200", target="nonsense")
    assert found["tabs"]["selected"] == "fit"
    assert found["fit"] == {"sample": "photo:coffee", "way": "one", "kind": "mlp", "rank": 4, "steps": 200}
    item = library.collection("shapes10-lora").ids[5]
    found = opened(address, tab="atlas", kind="lora", data="shapes10", map="PCA", dims="seven", pick=item)["atlas"]
    assert {name: found[name] for name in ("data", "kind", "map", "dims", "pick")} == {
        "data": "shapes10", "kind": "lora", "map": "PCA", "dims": 2, "pick": item
    }  # fmt: skip


def test_the_chart_of_a_linked_shape_shows_iou(address):
    part = next(part for part in address.parts if part.tab == "fit")
    shown = address.read("?tab=fit&sample=shape:chair-00452")
    assert shown[part.extra[-1]]["layout"]["yaxis"]["title"]["text"] == "IoU"


def test_a_change_is_written_before_anything_else_that_it_begins(assets):
    """The page waits for each listener of an event before it calls the next one, so the address comes first."""
    with gr.Blocks() as page:
        address = tabs.build(main.all_tabs(), page, lambda: None)
    events = page.get_config_file()["dependencies"]
    for part in address.parts:
        asked = [(part.view._id, "select"), *((widget._id, "change") for widget in part.widgets.values())]
        for target in asked:
            first = next(one for one in events if list(target) in [list(each) for each in one["targets"]])
            assert not first["backend_fn"] and "history.replaceState" in first["js"], (part.tab, target)


def test_a_link_to_a_tab_alone_goes_there(address):
    assert opened(address, tab="symmetry") == {"tabs": gr.update(selected="symmetry")}


def test_what_is_not_there_is_named(address):
    with pytest.raises(WsrError, match="Unknown data set"):
        address.parts[0].restore({"data": "nowhere"})
