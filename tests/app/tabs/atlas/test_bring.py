"""A visitor's zoo is a zoo like those of the page, for this visitor alone, until they leave."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from atlas_values import IMAGES, TAB, event, values

from app.shared import library, networks, own, sheets, taking
from app.shared.bringing import Progress
from app.shell import session, workers
from app.tabs.atlas import bring, controls, handlers, panel, selection
from app.tabs.atlas.map import Visit
from tests.imports import layouts
from wsr.errors import WsrError
from wsr.fitting.saved import save_weights
from wsr.formats.tensors import save_tensors
from wsr.memory import MEMORY
from wsr.zoo import Zoo

ANN, BOB = (SimpleNamespace(session_hash=name) for name in ("ann", "bob"))
FILE, FORM, STATE = "brought file", "brought form", "brought state"


@pytest.fixture(autouse=True)
def _gone():
    yield
    for visitor in (ANN, BOB):
        taking.forget(visitor)
        session.forget(visitor)


def sent(path, visitor=ANN, visit=None, form=""):
    """Brings a copy of a file. Returns all that the page is told, by widget, the last value of each."""
    copy = session.session_dir(visitor) / Path(path).name
    shutil.copy(path, copy)
    given = values(visit=visit or Visit()) | {FILE: str(copy), FORM: form}
    shown = {}
    for part in bring.bring(TAB, given, visitor):
        for name, value in part.items() if part != gr.skip() else ():
            shown[name] = {**shown[name], **value} if name == "chart" and name in shown else value
    return shown


@pytest.fixture
def zipped(assets, tmp_path):
    return shutil.make_archive(str(tmp_path / "my emoji"), "zip", assets / "zoos" / IMAGES)


def seen(shown, **given):
    """The page's values after a zoo was brought."""
    kind = library.collection(shown["dataset"]["value"]).representation
    return values(shown["picked"], shown["dataset"]["value"], kind, visit=shown["visit"], **given)


def test_a_zoo_is_shown_like_those_of_the_page(zipped):
    shown = sent(zipped)
    name = shown["dataset"]["value"]
    assert {("Yours: my emoji", name), ("Emoji", "emoji")} < set(shown["dataset"]["choices"])
    assert "23 networks" in shown[STATE] and "1 failed fit is" in shown[STATE] and shown[FILE] is None
    assert shown["picked"] in library.collection(name).ids and any(library.collection(name).held_out)
    assert library.collection(name).ids == library.collection(IMAGES).ids
    trace = shown["chart"]["value"]["data"][0]
    assert trace["customdata"] and shown["method"]["value"] == "UMAP"
    assert shown["chart"]["sprite"] == sheets.shared(name) and shown["chart"]["sprite"]["columns"] == 5
    item = library.collection(name).ids[5]
    picked = {}
    for part in handlers.pick(TAB, seen(shown), event(id=item), ANN):
        picked |= part if part != gr.skip() else {}
    assert item in picked["facts"] and picked["nearest"]["value"] and picked["heat"]
    assert networks.neighbours(name, item) == networks.neighbours(IMAGES, item)
    for method, dims in (("PCA", 3), ("UMAP", 3), ("PCA", 2)):
        figure = handlers.change_view(TAB, seen(shown, method=method, dims=dims))["chart"]["value"]
        assert len(figure["data"][0]["customdata"]) > 3
    files = selection.export(name, [item], session.session_dir(ANN))
    assert all(name not in Path(file).name for file in files)


def test_nobody_else_sees_it_and_it_goes_with_its_visitor(zipped):
    shown = sent(zipped)
    name = shown["dataset"]["value"]
    assert name not in library.collection_names() and name not in controls.datasets()
    networks.neighbours(name, library.first_pick(name))
    for call in (handlers.change_view, handlers.change_neighbours):
        with pytest.raises(gr.Error, match="is gone: it is kept for an hour"):
            call(TAB, seen(shown) | {"visit": Visit()})
    with pytest.raises(gr.Error, match="is gone: it is kept for an hour"):
        next(handlers.pick(TAB, seen(shown) | {"visit": Visit()}, event(id=library.first_pick(name)), BOB))
    folder = own.find(name).folder
    taking.forget(ANN)
    assert not folder.exists() and not MEMORY.count(lambda key: name in str(key))
    with pytest.raises(WsrError, match="collection"):
        library.collection(name)
    with pytest.raises(gr.Error, match="is gone: it is kept for an hour"):
        handlers.change_view(TAB, {**values(dataset=name), "visit": shown["visit"]})


def test_a_link_does_not_contain_it(zipped):
    name = sent(zipped)["dataset"]["value"]
    with pytest.raises(WsrError, match="Links do not contain them"):
        handlers.restore(TAB, {"data": name, "kind": "mlora-asym"})


def test_a_few_are_kept_and_the_oldest_goes(zipped, monkeypatch):
    monkeypatch.setattr(own, "MOST", 2)
    visit, names = Visit(), []
    for _ in range(3):
        shown = sent(zipped, visit=visit)
        visit, names = shown["visit"], [*names, shown["dataset"]["value"]]
    assert visit.own == names[1:] and own.find(names[0]) is None
    assert [value for _, value in shown["dataset"]["choices"] if own.is_own(value)] == names[1:]


def test_another_programs_networks(assets, tmp_path):
    layouts.hyperdiffusion(tmp_path / "theirs", 6)
    layouts.dwsnets(tmp_path / "mnist", 6)
    for source, kind in (("theirs", "relu-mlp"), ("mnist", "siren")):
        path = shutil.make_archive(str(tmp_path / f"{source}-sent"), "zip", tmp_path / source)
        shown = sent(path)
        assert "6 networks" in shown[STATE]
        found = library.collection(shown["dataset"]["value"])
        assert found.representation == kind and len(found.points("PCA", 2)) == 6 and shown["picked"] in found.ids
        # In an earlier version their weights were drawn as differences from a random start that no fit has had.
        largest = max(float(abs(array).max()) for _, array in networks.weight_layers(found.name, shown["picked"]))
        assert networks.start_layers(found.name) == [] and "from the start" not in str(shown["heat"]["data"][0])
        assert "are positive" in shown["legend"] and "mask" not in shown["legend"] and largest > 0


def test_nothing_is_said_of_training_where_the_source_says_nothing(assets, tmp_path):
    """A tenth is set aside by the ids alone, for probes: the page said that training had not seen it."""
    zoo, path = Zoo.open(assets / "zoos" / IMAGES), tmp_path / "mine.safetensors"
    weights = zoo.weights(zoo.good()["id"].tolist())
    save_weights(path, weights.float(), zoo.representation, [f"network-{i}" for i in range(len(weights))])
    shown = sent(path)
    found = library.collection(shown["dataset"]["value"])
    apart = found.index["split"] != "train"
    assert apart.any() and not any(found.held_out)
    assert "training" not in panel.facts_line(found, found.ids[apart.to_numpy().argmax()])
    assert "training" not in selection.summary(found.name, found.ids)


def test_vectors_that_say_nothing_are_said_to_be_taken_for_those_on_screen(assets, tmp_path):
    """Without a word, weights of emoji were decoded to shapes where shapes were on screen."""
    path = tmp_path / "mine.safetensors"
    save_tensors(path, {"weights": Zoo.open(assets / "zoos" / IMAGES).weights().float()})
    assert "taken for weights like those of Emoji in mLoRA-Asym" in sent(path)[STATE]
    shown = sent(shutil.make_archive(str(tmp_path / "whole"), "zip", assets / "zoos" / IMAGES))
    assert "taken for" not in shown[STATE] and "holds fixed" in shown["legend"]
    assert "|taken for" in taking.SHOWN  # the page stays where the line is, which says more


def test_a_sheet_of_pictures_comes_with_the_map_that_it_belongs_to(zipped):
    """Until the rest of the answer came, the cells of the sheet before were other networks."""
    visit, sheet = Visit(), None
    for _ in range(2):
        copy = session.session_dir(ANN) / Path(zipped).name
        shutil.copy(zipped, copy)
        parts = list(bring.bring(TAB, values(visit=visit) | {FILE: str(copy), FORM: ""}, ANN))
        visit = next(part["visit"] for part in parts if "visit" in part)
        drawn = next(part["chart"] for part in parts if "value" in part.get("chart", {}))
        assert drawn["sprite"] == sheets.shared(visit.own[-1]) != sheet
        sheet = drawn["sprite"]


def test_what_is_wrong_is_said_and_all_else_stays(assets, zipped, tmp_path):
    folder = tmp_path / "zoo"
    shutil.unpack_archive(zipped, folder)
    (folder / "index.parquet").unlink()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "pointer.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    wrong = {shutil.make_archive(str(tmp_path / "written"), "zip", folder): "being written", tmp_path / "notes.txt":
             "What is taken", tmp_path / "pointer.safetensors": "Git LFS pointer"}  # fmt: skip
    for path, words in wrong.items():
        shown = sent(path)
        assert set(shown) == {STATE} and words in shown[STATE] and "/tmp" not in shown[STATE]
    left = [one for one in session.session_dir(ANN).iterdir() if one.is_dir()]
    assert left == [] and not own._there
    said = list(bring.bring(TAB, values() | {FILE: None, FORM: ""}, ANN))
    assert "Choose a file first" in said[0][STATE]


def test_stop_ends_it_and_keeps_nothing(zipped):
    stop = TAB.bringing.job.stop_file(ANN)
    stop.touch()
    shown = sent(zipped)
    assert "Nothing was kept" in shown[STATE] and not own._there
    workers.close()
    assert Zoo.open(library.zoo_dir(IMAGES))


def test_one_network_is_told_as_one():
    assert bring.said(Progress("", 1.0, rows=1, pictures=1)) == "1 network, placed by nothing but its weights."
    told = bring.said(Progress("", 1.0, rows=3, pictures=1))
    assert told.startswith("3 networks, placed by nothing but their weights. 1 thumbnail is drawn; the other")
