"""Whatever a stranger brings becomes a zoo that decodes the same, or one sentence, and nothing is left behind."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.imports import layouts, shared_layouts
from tests.imports.test_bad_input import POINTER, Evil
from wsr.errors import WsrError
from wsr.exports.base import export_zoo
from wsr.fields.representation import make_representation
from wsr.fitting.saved import save_weights
from wsr.formats.tensors import save_tensors
from wsr.imports.brought import bring
from wsr.imports.housed import Taken
from wsr.imports.run import import_zoo
from wsr.presets import FieldConfig
from wsr.zoo import Zoo

TINY = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 8, 2)
KINDS = ("hyperdiffusion", "dwsnets", "nfn", "implicit_zoo", "fit_a_nef", "functa", "wsr_pytorch")


@pytest.fixture
def model():
    return make_representation("mlp", None, TINY, mask_seed=7)


@pytest.fixture
def zoo(model, tmp_path):
    made = Zoo.create(tmp_path / "mine/toys", model, dataset="toys", preset="cpu", init="centered", sigma=0.02,
                      init_seed=0, steps=6)  # fmt: skip
    weights = model.initial() + 0.1 * torch.randn(6, model.size, generator=torch.Generator().manual_seed(0))
    common = {"quality": 30.0, "steps": 10, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    made.append(weights, [{"id": f"toy-{i}", "class": "ab"[i % 2], "split": "train", **common} for i in range(6)])
    return made


def zipped(folder, name="sent"):
    return shutil.make_archive(str(folder.parent / name), "zip", folder)


def brought(path, out, **known):
    return bring(Path(path), out, Taken(**known))


def refused(path, tmp_path, match, **known):
    out = tmp_path / "there/out"
    with pytest.raises(WsrError, match=match) as error:
        brought(path, out, **known)
    said = str(error.value)
    assert not out.exists() and list(out.parent.iterdir()) == [] and str(tmp_path) not in said and "\n" not in said
    return said


def same(found, zoo):
    assert found.ids == zoo.ids and torch.equal(found.weights(), zoo.weights())
    assert np.array_equal(found.decode(found.ids[:2], 16), zoo.decode(zoo.ids[:2], 16))


def test_a_zoo_comes_back_as_it_was_whatever_it_was_packed_as(zoo, model, tmp_path):
    export_zoo(zoo, "dataset", tmp_path / "exported")
    save_weights(tmp_path / "saved.safetensors", zoo.weights(), model, zoo.ids)
    table = next((tmp_path / "exported/data").iterdir())
    ways = (zipped(zoo.path), zipped(zoo.path.parent, "above"), zipped(tmp_path / "exported", "dataset"), table,
            tmp_path / "saved.safetensors")  # fmt: skip
    for number, way in enumerate(ways):
        made = brought(way, tmp_path / f"out/{number}")
        same(Zoo.open(made.path), zoo)
        assert (made.rows, made.left_out) == (6, []) and len(list((tmp_path / "out").iterdir())) == number + 1
    assert Zoo.open(tmp_path / "out/2").index["class"].tolist() == ["a", "b"] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_each_format_is_found_out_and_decodes_like_an_import(kind, tmp_path):
    source = tmp_path / "theirs"
    getattr(layouts, kind, None) and getattr(layouts, kind)(source)
    getattr(shared_layouts, kind, None) and getattr(shared_layouts, kind)(source)
    name = kind.replace("_", "-")
    path = zipped(source)
    if kind == "implicit_zoo":  # whose tensors are called like those of another format
        assert "choose" in refused(path, tmp_path, "'dwsnets' or 'implicit-zoo'").lower()
    made = brought(path, tmp_path / "out", form=name if kind == "implicit_zoo" else "")
    plain = import_zoo(name, source, tmp_path / "plain").zoo
    found = Zoo.open(made.path)
    assert found.ids == plain.ids and torch.equal(found.weights(), plain.weights())
    points = torch.rand(1, 20, plain.representation.dim) * 2 - 1
    one, other = (each.representation.evaluate(each.weights(), points.expand(len(plain), -1, -1))
                  for each in (found, plain))  # fmt: skip
    assert torch.equal(one, other)


def test_an_imported_zoo_can_be_brought_again_with_what_its_networks_share(tmp_path):
    shared_layouts.functa(tmp_path / "theirs")
    plain = import_zoo("functa", tmp_path / "theirs", tmp_path / "plain").zoo
    export_zoo(plain, "dataset", tmp_path / "exported")
    bare = zipped(tmp_path / "exported", "bare")
    for one in plain.path.glob("*.safetensors"):
        if not one.name.startswith("weights-"):
            shutil.copy(one, tmp_path / "exported")
    paths = zipped(plain.path), zipped(tmp_path / "exported", "dataset")
    before = plain.decode(plain.ids[:1], 16)
    shutil.rmtree(plain.path)
    for number, path in enumerate(paths):
        out = tmp_path / f"out{number}"
        found = Zoo.open(brought(path, out).path)
        assert np.array_equal(found.decode(plain.ids[:1], 16), before)
        meta = json.loads((found.path / "zoo.json").read_text())
        assert meta["field"]["shared"]["path"].startswith(str(out))
    refused(bare, tmp_path, "share .* did not come along")


def test_files_of_this_machine_cannot_be_named(zoo, tmp_path):
    described = zoo.path / "zoo.json"
    meta = json.loads(described.read_text())
    (tmp_path / "secret.safetensors").write_bytes(b"mine")
    for base in (str(tmp_path / "secret.safetensors"), "../secret", "hub:some/base", "emoji"):
        described.write_text(json.dumps(meta | {"base": base, "base_sha256": "0" * 64}))
        refused(zipped(zoo.path), tmp_path, "adapt the base .* which is not here", bases=("faces",))
    described.write_text(json.dumps(meta | {"dataset": "images:/etc", "shown_as": "emoji"}))
    found = Zoo.open(brought(zipped(zoo.path), tmp_path / "out").path).meta
    assert found["dataset"] == "imported:weights" and "shown_as" not in found


def test_vectors_that_say_nothing_are_read_like_those_on_screen(zoo, tmp_path):
    weights = zoo.weights()
    save_tensors(tmp_path / "bare.safetensors", {"weights": weights})
    pd.DataFrame({"id": zoo.ids, "weights": list(weights.numpy())}).to_parquet(tmp_path / "bare.parquet")
    for number, name in enumerate(("bare.safetensors", "bare.parquet")):
        refused(tmp_path / name, tmp_path, "does not say what decodes")
        made = brought(tmp_path / name, tmp_path / f"out{number}", like=zoo.meta, like_name="toys")
        found = Zoo.open(made.path)
        assert torch.equal(found.weights(), weights) and made.like == "toys"
        assert brought(zipped(made.path), tmp_path / f"again{number}").like == ""
    save_tensors(tmp_path / "short.safetensors", {"weights": weights[:, :9]})
    refused(tmp_path / "short.safetensors", tmp_path, "vectors of 9 numbers .*on screen .toys.", like=zoo.meta,
            like_name="toys")  # fmt: skip


def test_zoos_that_are_being_written_or_are_cut_short(zoo, tmp_path):
    for name in ("index.parquet", "weights-00000.safetensors"):
        kept = (zoo.path / name).read_bytes()
        (zoo.path / name).unlink()
        refused(zipped(zoo.path), tmp_path, "being written, or was cut short")
        (zoo.path / name).write_text(POINTER)
        refused(zipped(zoo.path), tmp_path, "Git LFS pointer.*git lfs pull")
        (zoo.path / name).write_bytes(kept[: len(kept) // 2])
        refused(zipped(zoo.path), tmp_path, "damaged|cut short")
        (zoo.path / name).write_bytes(kept)
    index = zoo.index
    pd.concat([index, index.assign(id=index["id"] + "b")]).to_parquet(zoo.path / "index.parquet", index=False)
    refused(zipped(zoo.path), tmp_path, "names 12 instances, its weight files hold 6")
    (zoo.path / "zoo.json").unlink()
    refused(zipped(zoo.path), tmp_path, "zoo.json, which says what its weights are, is missing")


def test_weights_that_are_not_finite_and_too_many_rows(zoo, model, tmp_path):
    weights = zoo.weights()
    weights[2, 5] = np.nan
    save_tensors(zoo.path / "weights-00000.safetensors", {"weights": weights.half()})
    refused(zipped(zoo.path), tmp_path, "'toy-2' are not finite")
    save_weights(tmp_path / "saved.safetensors", weights, model, zoo.ids)
    refused(tmp_path / "saved.safetensors", tmp_path, "'toy-2' hold NaN or infinite")
    refused(zipped(zoo.path), tmp_path, "6 networks, and at most 5", most=5)
    rows = pd.concat([zoo.index] * 10_000, ignore_index=True)
    rows.assign(id=[str(i) for i in range(len(rows))]).to_parquet(zoo.path / "index.parquet", index=False)
    refused(zipped(zoo.path), tmp_path, "holds 60,000 networks")


def test_other_programs_files_that_cannot_be_used(tmp_path):
    source = tmp_path / "theirs"
    layouts.dwsnets(source, split=False)
    files = sorted(source.rglob("*.pth"))
    torch.save({"seq.0.weight": Evil(tmp_path / "made")}, files[0])
    made = brought(zipped(source), tmp_path / "out")
    assert made.rows == 5 and "pickle that holds Python objects" in made.left_out[0]
    refused(files[0], tmp_path, "pickle that holds Python objects")
    assert not (tmp_path / "made").exists()
    torch.save(layouts.siren_state(["seq.0", "seq.1", "seq.2"], [2, 16, 16, 1], 0), files[0])
    refused(zipped(source), tmp_path, "another architecture.*import them apart")
    torch.save({"encoder.block": torch.zeros(3, 4)}, tmp_path / "strange.pth")
    refused(tmp_path / "strange.pth", tmp_path, r"no format that is known.*encoder.block \(3, 4\)")
    for path in files:
        path.write_text(POINTER)
    refused(zipped(source), tmp_path, "Git LFS pointer")


def test_files_that_are_no_weights(tmp_path):
    for name in ("a.txt", "a.zip"):
        (tmp_path / name).write_text("hello")
        refused(tmp_path / name, tmp_path, "is no file of weights. What is taken")
    (tmp_path / "a.safetensors").write_text(POINTER)
    refused(tmp_path / "a.safetensors", tmp_path, "Git LFS pointer")
    (tmp_path / "folder").mkdir()
    refused(zipped(tmp_path / "folder"), tmp_path, "is an empty archive")
    (tmp_path / "folder/notes.txt").write_text("hello")
    refused(zipped(tmp_path / "folder"), tmp_path, "holds 1 file, such as 'notes.txt', and none of weights. What is")
    pd.DataFrame({"id": ["a"], "class": ["b"]}).to_parquet(tmp_path / "index.parquet")
    refused(tmp_path / "index.parquet", tmp_path, "no column 'weights'.*whole folder")
    table = pa.table({"weights": [[1.0, 2.0]]}).replace_schema_metadata({"wsr": "{not json"})
    pq.write_table(table, tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", tmp_path, "not JSON")
    for column in (["a"], [[1.0, 2.0], [3.0]], [[1.0], None]):
        pd.DataFrame({"weights": column}).to_parquet(tmp_path / "t.parquet")
        refused(tmp_path / "t.parquet", tmp_path, "vectors of numbers|one vector of the same length")


def test_a_refusal_speaks_of_zoos_though_one_is_made_in_a_folder_of_that_name(zoo, tmp_path):
    """In an earlier version it said "the description of a sent", with the name of the file in place of the word."""
    (zoo.path / "zoo.json").write_text(POINTER)
    with pytest.raises(WsrError, match="zoo.json' is a Git LFS pointer, not the description of a zoo"):
        brought(zipped(zoo.path), tmp_path / "there/zoo")
    (tmp_path / "notes.zip").write_text("hello")
    with pytest.raises(WsrError, match="'notes.zip' is no file of weights. What is taken: a zoo's folder as a .zip"):
        brought(tmp_path / "notes.zip", tmp_path / "there/zoo")
