"""What is exported is read back by the readers of the programs that it is for, or by what their documentation says."""

import io
import json
import shlex
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
import trimesh
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file

from wsr.cli import main
from wsr.errors import WsrError
from wsr.exports.base import Exported, export_zoo, file_names
from wsr.exports.embedding_atlas import command
from wsr.exports.registry import FormKind, registered
from wsr.exports.tables import described
from wsr.zoo import Zoo


def test_a_table_for_embedding_atlas(pictures, tmp_path):
    export_zoo(pictures, "embedding-atlas", tmp_path / "out", method="pca")
    table = pq.read_table(tmp_path / "out/atlas.parquet")
    assert table["id"].to_pylist() == pictures.ids[:11]  # the poor one is left out
    rows = table.to_pandas()
    for number, near in enumerate(rows["neighbors"]):
        ids, away = np.asarray(near["ids"]), np.asarray(near["distances"])
        assert ids[0] == number and len(set(ids)) == len(ids) == 11 and ids.max() < len(rows)
        assert (np.diff(away) >= 0).all() and away[0] < 1e-6
    assert np.abs(rows[["projection_x", "projection_y"]].to_numpy()).max() == pytest.approx(1, abs=1e-3)
    assert Image.open(io.BytesIO(rows["image"][0]["bytes"])).size[0] >= 16
    assert rows["size"].tolist() == [float(i) for i in range(11)] and set(rows["class"]) == {"a", "b"}
    opens = command(str(tmp_path / "out/atlas.parquet"))
    assert opens in (tmp_path / "out/README.md").read_text()
    assert shlex.split(command("my zoos/atlas.parquet"))[1] == "my zoos/atlas.parquet"
    assert {word for word in opens.split() if word in table.column_names} == {
        "projection_x", "projection_y", "neighbors", "image"
    }  # fmt: skip


def test_attributes_that_are_called_like_a_column_keep_their_own(pictures, tmp_path):
    columns = ["id", "class", *("attribute " + name for name in ("id", "size", "image"))]
    index = pd.DataFrame([["p/0", "a", "7", 2.0, "sharp"]], columns=columns).assign(split="train", quality=30.0)
    found = described(SimpleNamespace(index=index))
    assert found["id"].to_pylist() == ["p/0"] and found["attribute id"].to_pylist() == ["7"]
    assert found["size"].to_pylist() == [2.0] and found["attribute image"].to_pylist() == ["sharp"]


def test_embedding_atlas_itself_reads_the_table(pictures, tmp_path):
    utils = pytest.importorskip("embedding_atlas.utils", reason="what the table is for is not installed here")
    from embedding_atlas.graph_metrics import compute_pagerank_column

    export_zoo(pictures, "embedding-atlas", tmp_path / "out", method="pca")
    table = utils.load_pandas_data(str(tmp_path / "out/atlas.parquet"))
    ranks = compute_pagerank_column(table, neighbors="neighbors")  # a reader of the column of neighbours
    assert len(ranks) == len(table) == 11 and np.isfinite(np.asarray(ranks, float)).all()


def test_adapters_as_peft_names_them(pictures, tmp_path):
    export_zoo(pictures, "peft", tmp_path / "out", pictures.ids[:2])
    folder = tmp_path / "out" / file_names(pictures.ids)["p/0"]
    tensors, settings = load_file(folder / "adapter_model.safetensors"), json.loads(
        (folder / "adapter_config.json").read_text()
    )
    model = pictures.representation
    assert settings["peft_type"] == "LORA" and settings["r"] == settings["lora_alpha"] == model.rank
    with safe_open(folder / "adapter_model.safetensors", "np") as file:
        known = {"wsr_operation": "multiply", "wsr_base_sha256": pictures.meta["base_sha256"]}
        assert file.metadata() == {"format": "pt", **known}
    known = model.layout.unflatten(pictures.weights(["p/0"]))
    for layer in range(model.layers):
        for half in "AB":
            found = tensors[f"base_model.model.layers.{layer}.lora_{half}.weight"]
            assert np.array_equal(found, known[f"layers.{layer}.{half}"][0].numpy())
    assert len(tensors) == 2 * model.layers and len(list((tmp_path / "out").iterdir())) == 2


def test_peft_itself_adds_them(pictures, tmp_path):
    peft = pytest.importorskip("peft", reason="what the files are for is not installed here")
    export_zoo(pictures, "peft", tmp_path / "out", pictures.ids[:1])
    (folder,) = (path for path in (tmp_path / "out").iterdir() if path.is_dir())
    known, model = pictures.representation.layout.unflatten(pictures.weights(pictures.ids[:1])), pictures.representation
    width = known["layers.0.A"].shape[-1]
    plain = torch.nn.Module()
    plain.layers = torch.nn.ModuleList(torch.nn.Linear(width, width) for _ in range(model.layers))
    before = [layer.weight.clone() for layer in plain.layers]
    adapted = peft.PeftModel.from_pretrained(plain, folder).merge_and_unload()
    for number, (layer, weight) in enumerate(zip(adapted.layers, before, strict=True)):
        added = known[f"layers.{number}.B"][0] @ known[f"layers.{number}.A"][0]
        assert torch.allclose(layer.weight - weight, added, atol=1e-6)


def test_networks_are_no_adapters(shapes, tmp_path):
    with pytest.raises(WsrError, match="whole networks .ReLU MLP."):
        export_zoo(shapes, "peft", tmp_path / "out")
    assert not (tmp_path / "out").exists() and not list(tmp_path.iterdir())


def test_pictures_and_meshes(pictures, shapes, tmp_path):
    export_zoo(pictures, "pictures", tmp_path / "png", ["p/1"], size=24)
    assert Image.open(tmp_path / "png/p-1.png").size == (24, 24)
    export_zoo(shapes, "meshes", tmp_path / "glb", size=16)
    assert len(list((tmp_path / "glb").glob("*.glb"))) == 4
    assert len(trimesh.load(tmp_path / "glb/1a00.glb", force="mesh").faces)
    with pytest.raises(WsrError, match="have no surface: export them as pictures"):
        export_zoo(pictures, "meshes", tmp_path / "none")
    for ids in (["a/b", "a b", "a-b"], ["a-b-2", "a b", "a-b"], ["x" * 120 + "1", "x" * 120 + "2"], ["A", "a"]):
        assert len({name.casefold() for name in file_names(ids).values()}) == len(ids)


def test_arrays_that_numpy_opens_without_pickle(pictures, tmp_path):
    export_zoo(pictures, "numpy", tmp_path / "out")
    with np.load(tmp_path / "out/zoo.npz", allow_pickle=False) as held:
        assert np.array_equal(held["weights"], pictures.weights(pictures.ids[:11]).numpy())
        assert held["ids"].tolist() == pictures.ids[:11]
        assert held["splits"].tolist()[:3] == ["train", "train", "heldout"]
        assert json.loads(str(held["zoo"]))["layout"] == pictures.meta["layout"]


def test_a_data_set_with_its_card(pictures, tmp_path):
    export_zoo(pictures, "dataset", tmp_path / "out")
    card = (tmp_path / "out/README.md").read_text()
    assert card.startswith("---\n") and "split: validation" in card and "layers.0.A" in card
    train = pq.read_table(tmp_path / "out/data/train-00000-of-00001.parquet")
    held = pq.read_table(tmp_path / "out/data/validation-00000-of-00001.parquet")
    assert train.num_rows + held.num_rows == 11 and set(held["split"].to_pylist()) == {"heldout"}
    rows = np.stack(train["weights"].to_numpy(zero_copy_only=False))
    assert np.array_equal(rows, pictures.weights(train["id"].to_pylist()).numpy())


def test_a_data_set_is_loaded_by_datasets(pictures, tmp_path):
    datasets = pytest.importorskip("datasets", reason="what the folder is for is not installed here")
    export_zoo(pictures, "dataset", tmp_path / "out")
    held = datasets.load_dataset(str(tmp_path / "out"), split="validation", cache_dir=str(tmp_path / "cache"))
    assert held[0]["image"].size[0] >= 16 and len(held[0]["weights"]) == pictures.weights().shape[1]


def test_what_cannot_be_exported_is_said(pictures, tmp_path, capsys, monkeypatch):
    with pytest.raises(WsrError, match="Unknown form to export 'nump': did you mean 'numpy'"):
        export_zoo(pictures, "nump", tmp_path / "out")
    with pytest.raises(WsrError, match="status 'ok'.*'p/11'"):
        export_zoo(pictures, "numpy", tmp_path / "out", ["p/11"])
    with pytest.raises(WsrError, match="decoded at 8 to"):
        export_zoo(pictures, "pictures", tmp_path / "out", size=3)
    with monkeypatch.context() as changed:
        changed.setattr("wsr.exports.base.MOST", 5)
        with pytest.raises(WsrError, match="11 instances are too many for one export, which holds 5"):
            export_zoo(pictures, "numpy", tmp_path / "out")
    with Zoo.open(pictures.path).writing(), pytest.raises(WsrError, match="being written by another job"):
        export_zoo(Zoo.open(pictures.path), "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("mine")
    assert main(["export", str(pictures.path), "--to", "numpy", "--out", str(tmp_path / "out")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_command_line_says_how_it_is_opened(pictures, tmp_path, capsys):
    given = ["--to", "embedding-atlas", "--out", str(tmp_path / "out"), "--count", "5", "--method", "pca"]
    assert main(["export", str(pictures.path), *given]) == 0
    assert "says how it is opened" in capsys.readouterr().out
    assert pq.read_table(tmp_path / "out/atlas.parquet").num_rows == 5


def test_a_form_of_somebody_elses(pictures, tmp_path):
    def write(exported: Exported) -> None:
        (exported.folder / "ids.txt").write_text("\n".join(exported.ids))

    with registered(FormKind("ids", "a list of ids", write)):
        export_zoo(pictures, "ids", tmp_path / "out", pictures.ids[:2])
    assert (tmp_path / "out/ids.txt").read_text() == "p/0\np/1"
