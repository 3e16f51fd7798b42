"""A visitor's samples are judged against a zoo of the page, or against a training zoo that they bring."""

import shutil
from types import SimpleNamespace

import gradio as gr
import pytest
from by_name import by_name

from app.shared import library, own, taking
from app.shell import session
from app.tabs.audit import bring, handlers, run
from app.tabs.audit.handlers import AuditTab
from tests.imports import layouts, pairs
from wsr.errors import WsrError
from wsr.fitting.saved import save_weights
from wsr.zoo import Zoo

ANN = SimpleNamespace(session_hash="ann")
TAB = by_name(AuditTab)
STATE = TAB.bringing.job.state


@pytest.fixture(autouse=True)
def _small(small):
    """Decodes at small sizes."""
    yield
    taking.forget(ANN)
    session.forget(ANN)


def sent(samples, training=None, mine=(), dataset="emoji", kind="mlora-asym", form=""):
    """Brings copies of files. Returns all that the page is told, by widget, the last value of each."""
    paths = []
    for path in (samples, training):
        paths.append(path and str(shutil.copy(path, session.session_dir(ANN))))
    given = {TAB.dataset: dataset, TAB.kind: kind, TAB.mine: list(mine), TAB.bringing.samples: paths[0],
             TAB.bringing.training: paths[1], TAB.bringing.form: form}  # fmt: skip
    shown = {}
    for part in bring.judge(TAB, given, ANN):
        shown |= part if part != gr.skip() else {}
    return shown


@pytest.fixture
def pair(assets, tmp_path):
    """A training zoo of another program, and samples of which the first six are copies of training networks."""
    return pairs.write(tmp_path)


def test_an_imported_pair_of_zoos_is_audited(pair):
    shown = sent(*pair)
    name = shown["dataset"]["value"]
    assert ("Yours: samples-sent", name) in shown["dataset"]["choices"] and shown["mine"] == [name]
    assert "10 samples were compared with the training networks of train-sent" in shown[STATE]
    rows = run.report(name).rows
    own_rows = rows[rows["generator"] == "your samples"]
    assert own_rows["verdict"][:6].tolist() == ["replica"] * 6
    assert (own_rows["verdict"][6:] == "novel").sum() >= 3
    names = [trace["name"] for trace in shown["plane"]["value"]["data"]]
    assert names[:2] == ["your samples", "held out"] and "of your samples" in shown["headline"]
    assert shown["kind"]["value"] == "siren" and shown["table"] and shown["histogram"]["data"]
    assert "replica" in shown["said"] and shown["pair"].count("<figure>") == 2
    assert "Your sample no. " in shown["said"] and "your sample no. " in shown["plane"]["value"]["data"][0]["text"][0]
    for point in ("your samples:7", "held out:3", "noise 0.1:2", "average of 2:0"):
        event = gr.EventData(None, {"id": point})
        picked, _ = handlers.pick(TAB, name, "siren", event, ANN, [name])
        assert picked["point"] == point and "<figure>" in picked["pair"]
    again, _ = handlers.show(TAB, name, "siren", "", ANN, [name])
    assert again["point"] == shown["point"]
    changed = handlers.change_dataset(TAB, name, [name])
    assert changed["kind"]["value"] == "siren"


def test_samples_are_judged_against_the_zoo_of_the_page_that_they_are_like(assets, tmp_path, monkeypatch):
    zoo = Zoo.open(assets / "zoos/emoji-lora")
    weights = zoo.weights(zoo.good("train")["id"].tolist())[:5] + 0.001
    save_weights(tmp_path / "mine.safetensors", weights, zoo.representation, [f"s{i}" for i in range(5)])
    said = sent(tmp_path / "mine.safetensors")[STATE]
    assert "sets 5 networks aside, and 16 are needed" in said  # the tiny zoo of these tests
    other = tmp_path / "strange"
    layouts.dwsnets(other, 4)
    said = sent(shutil.make_archive(str(other), "zip", other))[STATE]
    assert "No zoo of this page has networks like these samples (SIREN" in said and "bring the training zoo" in said


def test_a_pair_that_does_not_fit_and_files_that_are_none(pair, assets, tmp_path):
    layouts.nfn(tmp_path / "nfn", 6)
    other = shutil.make_archive(str(tmp_path / "others"), "zip", tmp_path / "nfn")
    shown = sent(other, pair[1])
    assert set(shown) == {STATE} and "cannot be compared" in shown[STATE] and "/tmp" not in shown[STATE]
    (tmp_path / "notes.txt").write_text("hello")
    assert "What is taken" in sent(tmp_path / "notes.txt", pair[1])[STATE]
    assert "What is taken" in sent(pair[0], tmp_path / "notes.txt")[STATE]
    assert "Choose the samples first" in list(bring.judge(
        TAB, {TAB.dataset: "emoji", TAB.kind: "mlora-asym", TAB.mine: [], TAB.bringing.samples: None,
              TAB.bringing.training: None, TAB.bringing.form: ""}, ANN))[0][STATE]  # fmt: skip
    assert not own._there


def test_an_audit_is_the_visitors_alone(pair):
    name = sent(*pair)["dataset"]["value"]
    event = gr.EventData(None, {"id": "held out:1"})
    for call in (lambda: next(handlers.show(TAB, name, "siren", "", ANN)),
                 lambda: handlers.change_dataset(TAB, name),
                 lambda: next(handlers.pick(TAB, name, "siren", event, ANN))):  # fmt: skip
        with pytest.raises(gr.Error, match="is gone: it is kept for an hour"):
            call()
    assert name not in run.names() and name not in library.collection_names()
    with pytest.raises(WsrError, match="Links do not contain them"):
        handlers.restore(TAB, {"data": name})
    taking.forget(ANN)
    with pytest.raises(gr.Error, match="is gone: it is kept for an hour"):
        next(handlers.show(TAB, name, "siren", "", ANN, [name]))
