"""Layouts whose instances share a file, a network or a base."""

import json
import shutil

import numpy as np
import pytest
import torch

from tests.imports import shared_layouts as layouts
from wsr.analysis.novelty import audit_of
from wsr.errors import WsrError
from wsr.imports.base import Options
from wsr.imports.run import import_zoo
from wsr.zoo import Zoo, check_zoo, merge_zoos, require_alike

CLOSE = 1e-5


@pytest.mark.parametrize(("kind", "name"), [("SIREN", "siren"), ("MLP", "relu-mlp"), ("RFFNet", "fourier-mlp")])
def test_pictures_of_fit_a_nef_are_those_of_the_formula(kind, name, tmp_path):
    shown = layouts.fit_a_nef(tmp_path / "source", kind=kind)
    zoo = import_zoo("fit-a-nef", tmp_path / "source", tmp_path / "zoo").zoo
    assert zoo.ids == list(shown) and zoo.meta["representation"] == name
    assert np.abs(np.stack(list(shown.values())) - zoo.decode(resolution=32)).max() < CLOSE
    assert zoo.index["class"].tolist() == list("012345")


def test_shapes_of_fit_a_nef_are_those_of_the_formula(tmp_path):
    known = layouts.nefs_of_shapes(tmp_path / "source")
    zoo = import_zoo("fit-a-nef", tmp_path / "source", tmp_path / "zoo", Options(omega=5.0)).zoo
    assert zoo.modality.name == "occupancy"
    for item, (points, logits) in known.items():
        assert (zoo.representation.evaluate(zoo.weights([item]), points[None])[0] - logits).abs().max() < CLOSE


def test_numbers_of_fit_a_nef_are_those_of_the_files(tmp_path):
    """Behind a file that was left out, networks had the numbers of those in it; so had those of a file alone."""
    shown = layouts.fit_a_nef(tmp_path / "source")
    alone = import_zoo("fit-a-nef", tmp_path / "source/nefs_3-6.npz", tmp_path / "alone").zoo
    (tmp_path / "source/nefs_0-3.npz").write_bytes(b"PK\x03\x04 cut short")
    behind = import_zoo("fit-a-nef", tmp_path / "source", tmp_path / "behind", Options(skip=True)).zoo
    assert alone.ids == behind.ids == list(shown)[3:] and alone.index["class"].tolist() == ["3", "4", "5"]
    assert np.abs(np.stack(list(shown.values())[3:]) - alone.decode(resolution=32)).max() < CLOSE


def test_hdf5_is_read_as_their_own_files_are(tmp_path):
    h5py = pytest.importorskip("h5py", reason="an extra, `hdf5`")
    shown = layouts.fit_a_nef(tmp_path / "source")
    for path in sorted((tmp_path / "source").glob("*.npz")):
        with np.load(path) as held, h5py.File(path.with_suffix(".hdf5"), "w") as file:
            file.create_dataset("params", data=held["params"])
            file.create_dataset("param_config", (1,), dtype=h5py.special_dtype(vlen=str))[0] = str(held["param_config"])
            file.create_dataset("labels", data=held["labels"])
        path.unlink()
    zoo = import_zoo("fit-a-nef", tmp_path / "source", tmp_path / "zoo").zoo
    assert np.abs(np.stack(list(shown.values())) - zoo.decode(resolution=32)).max() < CLOSE


def test_an_hdf5_file_that_is_damaged_or_cannot_be_read_here(tmp_path):
    path = tmp_path / "nefs_0-2.hdf5"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(WsrError, match="h5py|damaged"):
        import_zoo("fit-a-nef", path, tmp_path / "zoo")


def test_a_file_of_another_version_of_fit_a_nef(tmp_path):
    layouts.fit_a_nef(tmp_path / "source")
    config = json.dumps([["kernel_net_0.linear.bias", [8]]])
    np.savez(tmp_path / "source/nefs_0-3.npz", params=np.zeros((3, 9), np.float32), param_config=config)
    with pytest.raises(WsrError, match="rows of 9 numbers, and its param_config names 8"):
        import_zoo("fit-a-nef", tmp_path / "source", tmp_path / "zoo")
    np.savez(tmp_path / "only.npz", weights=np.zeros((3, 9)))
    with pytest.raises(WsrError, match=r"lacks `params`.*it holds weights \(3, 9\)"):
        import_zoo("fit-a-nef", tmp_path / "only.npz", tmp_path / "zoo")


@pytest.fixture
def functa(tmp_path):
    shown = layouts.functa(tmp_path / "source")
    return shown, import_zoo("functa", tmp_path / "source", tmp_path / "zoo").zoo


def test_modulated_pictures_are_those_of_the_formula(functa):
    shown, zoo = functa
    assert zoo.ids == list(shown) and zoo.weights().shape == (6, 5) and zoo.resolution == 64
    assert np.abs(np.stack(list(shown.values())) - zoo.decode()).max() < CLOSE
    assert zoo.index["split"].tolist() == ["train"] * 4 + ["heldout"] * 2 and zoo.index["quality"][0] == 30
    assert check_zoo(zoo).ok


def test_a_zoo_that_carries_what_it_needs_can_be_moved(functa, tmp_path):
    shown, zoo = functa
    shutil.move(zoo.path, tmp_path / "elsewhere")
    moved = Zoo.open(tmp_path / "elsewhere")
    assert np.abs(np.stack(list(shown.values())) - moved.decode()).max() < CLOSE
    again = import_zoo("functa", tmp_path / "source", tmp_path / "again").zoo
    require_alike(again, moved)  # of the same network, wherever it lies
    assert len(merge_zoos(tmp_path / "both", [moved.path, again.path])) == len(zoo)
    shared = tmp_path / "elsewhere/shared.safetensors"
    shared.write_bytes((tmp_path / "again/shared.safetensors").read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(WsrError, match="another network than the one that these vectors modulate"):
        Zoo.open(tmp_path / "elsewhere").decode()
    shared.unlink()
    with pytest.raises(WsrError, match="no such file"):
        Zoo.open(tmp_path / "elsewhere").decode()


def test_a_functa_of_their_own_files_is_a_pickle_and_refused(tmp_path):
    (tmp_path / "celeba_modulations.npz").write_bytes(b"\x80\x04\x95" + b"\0" * 60)
    with pytest.raises(WsrError, match="pickle|damaged"):
        import_zoo("functa", tmp_path, tmp_path / "zoo")


def test_an_incomplete_functa_says_what_is_missing(tmp_path):
    layouts.functa(tmp_path / "source")
    (tmp_path / "source/params.npz").unlink()
    with pytest.raises(WsrError, match="shared network .* is not complete"):
        import_zoo("functa", tmp_path / "source", tmp_path / "zoo")
    (tmp_path / "source/modulations.npz").unlink()
    np.savez(tmp_path / "source/other.npz", a=np.zeros(3))
    with pytest.raises(WsrError, match="lacks the arrays of functa.*it holds a"):
        import_zoo("functa", tmp_path / "source", tmp_path / "zoo")
    assert not (tmp_path / "zoo").exists()


@pytest.mark.parametrize("additive", [False, True])
def test_adapters_over_a_base_have_the_values_of_the_formula(additive, tmp_path):
    known = layouts.wsr_pytorch(tmp_path / "source", additive=additive)
    made = import_zoo("wsr-pytorch", tmp_path / "source", tmp_path / "zoo", Options(additive=additive)).zoo
    shutil.move(made.path, tmp_path / "moved")  # its base goes with it
    zoo = Zoo.open(tmp_path / "moved")
    assert zoo.meta["representation"] == ("lora" if additive else "mlora") and zoo.ids == list(known)
    for item, (points, values) in known.items():
        found = zoo.representation.evaluate(zoo.weights([item]), points[None])[0]
        assert (found - values).abs().max() < CLOSE


def test_adapters_without_their_base(tmp_path):
    layouts.wsr_pytorch(tmp_path / "source")
    (tmp_path / "source/base.pt").unlink()
    with pytest.raises(WsrError, match="need the base that they adapt"):
        import_zoo("wsr-pytorch", tmp_path / "source", tmp_path / "zoo")
    torch.save({"fourier.weight": torch.zeros(8, 2)}, tmp_path / "source/base.pt")
    with pytest.raises(WsrError, match="its base lacks a Fourier layer"):
        import_zoo("wsr-pytorch", tmp_path / "source", tmp_path / "zoo")


def test_samples_are_audited_against_the_training_zoo(tmp_path):
    layouts.functa(tmp_path / "source", 40)
    zoo = import_zoo("functa", tmp_path / "source", tmp_path / "zoo", Options()).zoo
    index = zoo.index.assign(split=["train"] * 20 + ["heldout"] * 20)
    index.to_parquet(zoo.path / "index.parquet", index=False)
    audit, training, _ = audit_of(Zoo.open(zoo.path), 0.25)
    assert audit.judge(zoo.weights(training[:1]))[0].word == "replica"
