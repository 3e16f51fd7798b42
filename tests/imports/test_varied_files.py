"""Files as others have them: wrapped, in other number formats, incomplete, or with settings that make no sense."""

import json
import os

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.imports import layouts, shared_layouts
from tests.imports.test_bad_input import Evil, refused
from wsr.imports.run import import_zoo

NAMES, SIZES = ["seq.0", "seq.1", "seq.2"], [2, 8, 8, 1]


def state(seed=0):
    return layouts.siren_state(NAMES, SIZES, seed)


def test_bfloat16_in_safetensors_is_read(tmp_path):
    held = {name: one.to(torch.bfloat16) for name, one in state().items()}
    save_file(held, tmp_path / "one.safetensors")
    zoo = import_zoo("dwsnets", tmp_path / "one.safetensors", tmp_path / "zoo").zoo
    plain = {name: one.float() for name, one in held.items()}
    picture = layouts.colours(layouts.siren(plain, layouts.grid(28, "x")) + 0.5, 28)
    assert np.abs(zoo.decode(resolution=28)[0] - picture).max() < 1e-5


def test_what_lies_beside_layers_within_a_checkpoint_is_not_forgotten(tmp_path):
    """A norm between the layers would change the picture."""
    held = state() | {"seq.1.norm.weight": 3 * torch.ones(8)}
    torch.save({f"module.{name}": one for name, one in held.items()}, tmp_path / "one.pth")
    refused(tmp_path / "one.pth", tmp_path / "zoo", "its tensor 'seq.1.norm.weight' is none of this format")


def test_two_networks_in_one_checkpoint_are_named(tmp_path):
    torch.save({"model": state(), "ema": state(1)}, tmp_path / "one.pth")
    refused(tmp_path / "one.pth", tmp_path / "zoo", "several networks of this format, in 'model' and 'ema'")


def test_layers_without_neurons_and_complex_numbers(tmp_path):
    none = {name: torch.zeros([0 if side == 8 else side for side in one.shape]) for name, one in state().items()}
    torch.save(none, tmp_path / "none.pth")
    refused(tmp_path / "none.pth", tmp_path / "zoo", "layer 0 has a weight .*holds no number")
    torch.save({name: one.to(torch.complex64) for name, one in state().items()}, tmp_path / "complex.pth")
    refused(tmp_path / "complex.pth", tmp_path / "zoo", "complex numbers")


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.bool, torch.int64])
def test_codes_of_quantized_weights_are_no_weights(kind, tmp_path):
    """Codes such as -128 to 127 were imported as if they were the weights."""
    (tmp_path / "source").mkdir()
    torch.save({"model": {name: (one * 10).to(kind) for name, one in state().items()}}, tmp_path / "source/one.pth")
    refused(tmp_path / "source", tmp_path / "zoo", "whole numbers in 'seq.0.weight'", "dwsnets")


def test_what_is_no_checkpoint_is_told_by_what_it_is(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    refused(tmp_path / "a.pth", tmp_path / "zoo", "is a PNG picture, and no file of weights")
    (tmp_path / "b.pth").write_bytes(b"/annex/objects/MD5E-s123--abc.pth\n")
    assert "pickle" not in refused(tmp_path / "b.pth", tmp_path / "zoo", "no file of weights")
    torch.jit.script(torch.nn.Linear(2, 2)).save(str(tmp_path / "c.pth"))
    refused(tmp_path / "c.pth", tmp_path / "zoo", "TorchScript archive that holds code.*never done")
    np.savez(tmp_path / "d.npz", params=np.array([Evil(tmp_path / "made")], dtype=object))
    refused(tmp_path / "d.npz", tmp_path / "zoo", "pickle that holds Python objects.*never done", "fit-a-nef")
    assert not (tmp_path / "made").exists()


def test_a_link_to_a_file_that_was_not_fetched_is_an_instance(tmp_path):
    layouts.dwsnets(tmp_path / "source", split=False)
    os.symlink("/nowhere/object", tmp_path / "source/fetched-later.pth")
    refused(tmp_path / "source", tmp_path / "zoo", "is a link to a file of weights that is not here.*git annex get")


def test_a_data_set_that_is_unknown_or_of_another_kind(tmp_path):
    layouts.dwsnets(tmp_path / "source")
    for name, said in (("shapes11", "did you mean 'shapes10'"), ("shapes10", "holds shapes, and these networks")):
        with pytest.raises(Exception, match=said):
            import_zoo("dwsnets", tmp_path / "source", tmp_path / "zoo", dataset=name)
        assert not (tmp_path / "zoo").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nef.json", {"params": {"omega_0": "abc"}}, "states omega_0 = 'abc'.*positive number; --omega"),
        ("nef.json", {"params": {"omega_0": None}}, "states omega_0 = None"),
        ("nef.json", {"params": {"omega_0": -3}}, "states omega_0 = -3"),
        ("nef.json", {"params": [1]}, r"should hold an object 'params', and it is \[1\]"),
        ("nef.json", 3, "should hold an object 'params', and it is 3"),
        ("cfg.json", {"dataset": "CIFAR10"}, "should hold an object 'dataset'"),
        ("cfg.json", {"dataset": {"name": ["CIFAR10"]}}, r"those of \['CIFAR10'\]"),
        ("cfg.json", {"dataset": {"name": "MNIST"}}, "3 outputs, and the pictures of MNIST have 1"),
    ],
)
def test_settings_that_make_no_sense(name, content, said, tmp_path):
    shared_layouts.fit_a_nef(tmp_path / "source")
    (tmp_path / "source" / name).write_text(json.dumps(content))
    refused(tmp_path / "source", tmp_path / "zoo", said, "fit-a-nef")


def changed(path, **arrays):
    np.savez(path, **(dict(np.load(path)) | arrays))


def test_rows_as_h5py_gives_their_texts_and_labels_that_are_incomplete(tmp_path):
    shown = shared_layouts.fit_a_nef(tmp_path / "source")
    for path in (tmp_path / "source").glob("*.npz"):
        changed(path, param_config=np.array(str(np.load(path)["param_config"]).encode()))
    assert len(import_zoo("fit-a-nef", tmp_path / "source", tmp_path / "zoo").zoo) == len(shown)
    changed(tmp_path / "source/nefs_0-3.npz", labels=np.arange(2))
    refused(tmp_path / "source", tmp_path / "again", "has 3 rows, and labels of 2", "fit-a-nef")


def test_modulations_that_are_incomplete(tmp_path):
    def made(name, file="", **arrays):
        shared_layouts.functa(tmp_path / name)
        if file:
            changed(tmp_path / name / file, **arrays)
        return tmp_path / name

    zoo = import_zoo("functa", made("text", "modulations.npz", comment=np.array("hello")), tmp_path / "zoo").zoo
    assert len(zoo) == 6
    wrong = {"test.modulation": np.zeros((2, 3), np.float32)}
    source = made("lengths", "modulations.npz", **wrong)
    refused(source, tmp_path / "none", r"vectors of one length.*test.modulation \(2, 3\)", "functa")
    source = made("twice")
    np.savez(source / "more.npz", **{"train.modulation": np.zeros((2, 5), np.float32)})
    refused(source, tmp_path / "none", "holds 'train.modulation', and so does a file before it", "functa")
    shared_layouts.fit_a_nef(tmp_path / "other")  # whose files all hold arrays of the same names
    refused(tmp_path / "other", tmp_path / "none", "lacks the arrays of functa", "functa")
    source = made("lacking")
    (source / "params.npz").unlink()
    said = refused(source, tmp_path / "none", "shared network .* not complete", "functa")
    assert "train.modulation (4, 5)" in said and "nearest known format is 'functa'" in said
    source = made("nan")
    nan = {name: one * np.nan for name, one in np.load(source / "params.npz").items()}
    np.savez(source / "params.npz", **nan)
    assert ".partial" not in refused(source, tmp_path / "none", "instances of .* share holds NaN", "functa")


def test_adapters_in_folders_of_their_names(tmp_path):
    known = shared_layouts.wsr_pytorch(tmp_path / "source")
    for path in list((tmp_path / "source/adapters").iterdir()):
        folder = tmp_path / "source/adapters" / path.stem
        folder.mkdir()
        save_file(torch.load(path, weights_only=True), folder / "adapter_model.safetensors")
        path.unlink()
    zoo = import_zoo("wsr-pytorch", tmp_path / "source", tmp_path / "zoo").zoo
    assert zoo.ids == list(known) and set(zoo.index["class"]) == {""}
    for path in (tmp_path / "source/adapters").iterdir():  # 4 / 2: B A counts twice, and was read as if it did once
        settings = {"r": 2, "lora_alpha": 4, "use_rslora": path.name == "face-1"}
        (path / "adapter_config.json").write_text(json.dumps(settings))
    scaled = import_zoo("wsr-pytorch", tmp_path / "source", tmp_path / "scaled").zoo
    a, b = scaled.representation.pairs(scaled.weights())
    once = zoo.representation.pairs(zoo.weights())
    times = torch.tensor([2, 8**0.5, 2, 2])[:, None, None]
    assert torch.equal(a, once[0]) and torch.allclose(b, once[1] * times)
    (path / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": "x"}))
    refused(tmp_path / "source", tmp_path / "again", "two positive numbers are read", "wsr-pytorch")
    (path / "adapter_config.json").unlink()
    base = torch.load(tmp_path / "source/base.pt", weights_only=True)
    torch.save(base | {"output.bias": base["output.bias"] * np.nan}, tmp_path / "source/base.pt")
    said = refused(tmp_path / "source", tmp_path / "again", "NaN or infinite numbers in 'output.bias'", "wsr-pytorch")
    assert ".partial" not in said
