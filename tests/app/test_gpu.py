"""Each tab's handlers on a machine with a GPU: they compute what they show, and shared objects stay on the CPU."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from by_name import by_name
from pretend_gpu import GPU, chosen_gpu

from app.figures.plane import point_id
from app.shared import library, networks, samples
from app.shell import compute
from app.tabs.atlas.map import Visit
from app.tabs.atlas.place import place_fit
from app.tabs.audit import run as audit_run
from app.tabs.connect import handlers as connect_tab
from app.tabs.connect import run as connect_run
from app.tabs.fit import run as fit_run
from app.tabs.fit import six as fit_six
from app.tabs.generate import drawn, models
from app.tabs.generate import run as generate_run
from app.tabs.symmetry import run as symmetry_run
from wsr import representations
from wsr.data.signals import Signal, Signals

ADAPTERS = ("lora-asym", "mlora-asym")


@pytest.fixture
def gpu(assets, monkeypatch):
    monkeypatch.setattr(compute, "spaces", object())  # as on a Space with a GPU, visitors' jobs run in this process
    with chosen_gpu() as there:
        yield there


@pytest.fixture
def target():
    image = np.random.default_rng(0).random((16, 24, 3), dtype=np.float32)
    signal = Signal("noise", "", "train", 2, lambda: image)
    return samples.Target(signal, "noise", (image * 255).astype(np.uint8), 450, image.shape[:2])


def shared_stay() -> bool:
    """Tells whether everything that the app keeps for all visitors is on the CPU."""
    kept = [networks.zoo(name).representation for name in library.collection_names() if name.endswith(ADAPTERS)]
    tensors = [one for model in kept for one in (model.folded, model.layout.trained, *model.base.parameters())]
    for name in models.models():
        made = models.model(name)
        tensors += [made.mean, *made.network.parameters()]
    return all(tensor.device.type == "cpu" for tensor in tensors)


@pytest.mark.parametrize("name", representations)
def test_fit(gpu, target, name, tmp_path, monkeypatch, small):
    networks.picture("emoji-mlora-asym", library.collection("emoji-mlora-asym").ids[0], 8)
    screens = list(fit_run.run(target, fit_run.checked(name, 4, 10), tmp_path / "stop"))
    last = screens[-1]
    assert "Done after 10 steps" in last.state and any(screen.picture for screen in screens[:-1])
    assert last.fitted.weights.device.type == "cpu" and last.fitted.model.device.type == "cpu"
    assert "data:image/" in fit_run.zoomed(last.fitted, 2) and fit_run.weights_file(last.fitted, tmp_path)
    placed, _, near = place_fit(last.fitted, Visit("emoji-mlora-asym"))
    assert placed.points and near
    assert shared_stay() and networks.picture("emoji-mlora-asym", near, 8).shape == (8, 8, 3)


def test_all_six(gpu, target, tmp_path, monkeypatch, small):
    *_, last = fit_six.run(target, fit_run.checked("mlp", 4, 10), tmp_path / "stop")
    assert last.picture.count("<figure") == 6 and last.fitted.weights.device.type == "cpu"
    assert "data:image/" in fit_run.zoomed(last.fitted, 1) and shared_stay()


def test_a_shape(gpu, tmp_path, monkeypatch, small):
    import trimesh
    ball = trimesh.creation.icosphere(1)
    solid = samples.Target(Signal("ball", "", "train", 3, lambda: ball), "ball", np.zeros((8, 8, 3), np.uint8), 100)
    *_, last = fit_run.run(solid, fit_run.checked("mlora-asym", 4, 10), tmp_path / "stop")
    assert last.fitted.weights.device.type == "cpu"
    fit_run.surface_file(last.fitted, tmp_path)
    assert shared_stay()


@pytest.mark.parametrize("dataset", ["emoji", "shapes10"])
def test_generate(gpu, dataset, tmp_path, monkeypatch, small):
    monkeypatch.setattr(models, "COUNT", 3)
    name = f"{dataset}-mlora-asym"
    asked = models.checked(dataset, "mlora-asym", "any", 1.5, 10, 3)
    generate_run.warm(name, "diffusion")
    *_, last = generate_run.run(asked, tmp_path / "stop")
    assert last.sampled.weights.device.type == "cpu" and len(last.items) == 3 and shared_stay()
    one = drawn.fitted(last.sampled, 1)
    drawn.look(one, tmp_path)
    assert generate_run.between(asked, 0, 2, 0.5).device.type == "cpu"
    assert drawn.files(last.sampled, 0, tmp_path) and place_fit(one, Visit(name))[2]
    assert len(list(generate_run.opening(name))) >= 2 and shared_stay()


def test_connect(gpu, monkeypatch):
    name = connect_run.targets("emoji")[0]
    noise = np.random.default_rng(0).random((32, 32, 3), dtype=np.float32)
    signals = Signals("emoji", 2, [Signal(name, "", "heldout", 2, lambda: noise)])
    monkeypatch.setattr(connect_run, "load_signals", lambda *_: signals)
    made = connect_run._made("emoji")
    monkeypatch.setattr(connect_run, "_made", lambda dataset: replace(made, steps=3))
    tab = by_name(connect_tab.ConnectTab)
    connect_tab.walk(tab, "emoji", name, "own", None, 0.5, False)
    *_, (_, race) = connect_run.fit_live("emoji", name, ["mlora", "mlp"], 0.1, 1.0)
    for lane in race.lanes.values():
        assert lane.pair.a.device.type == "cpu" and lane.pair.model.device.type == "cpu"
    sheet = connect_tab.walk(tab, "emoji", name, "own", race, 0.25, True)["sheet"]
    assert sheet.count("<figure>") == 2 and shared_stay()


@pytest.mark.parametrize("name", ["emoji-mlora", "emoji-mlp", "shapes10-lora-asym"])
def test_symmetry_and_atlas(gpu, name):
    item = library.collection(name).ids[1]
    subject = symmetry_run.subject(name, item)

    for kind in subject.model.kind.symmetries:
        moved = symmetry_run.act(subject, kind, 0, 0.3)
        symmetry_run.remasked(subject, moved)
        assert symmetry_run.jump(subject, moved.full, "UMAP", 2)
    if subject.model.rank:
        symmetry_run.terms(subject, 0, [0])
    networks.weight_layers(name, item), networks.start_layers(name), networks.neighbours(name, item, form="canonical")
    assert networks.clusters(name).shape == (len(library.collection(name).ids),)


def test_audit(gpu, monkeypatch, small):
    report = audit_run.report("emoji-mlora-asym")
    for generator in ("diffusion", "held out", "noise 0.1"):
        point = point_id(generator, 0)
        assert audit_run.pictures(report, point) and audit_run.compared(report, point)


def test_fitting_is_what_the_gpu_does(gpu, target, tmp_path):
    """Verifies that these tests have a GPU at all: the fit loop's tensors are on it."""
    seen, loop = [], sys.modules["wsr.fitting.loop"]
    plain = loop.step_loss

    def watched(model, targets, dtype, backend=None):
        seen.append((model.device, targets.device))
        return plain(model, targets, dtype, backend)

    loop.step_loss = watched
    try:
        list(fit_run.run(target, fit_run.checked("lora", 4, 10), tmp_path / "stop"))
    finally:
        loop.step_loss = plain
    assert seen == [(GPU, GPU)] and torch.zeros(1).device.type == "cpu"
