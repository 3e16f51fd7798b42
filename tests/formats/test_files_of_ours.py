"""Damages every field of the metadata of every kind of file in many ways. Each file must be read or refused with a
sentence, using no more memory than a file of its size may take."""

import copy
import json
import random
import struct
import time

import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from tests.conftest import tiny_config
from wsr import load_weights
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, load_latents, save_base
from wsr.fields.representation import make_representation
from wsr.fitting.encoder import EncoderConfig, StartEncoder
from wsr.fitting.encoder_files import load_encoder, save_encoder
from wsr.fitting.saved import save_weights
from wsr.generators.base import SaveSettings
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion, load_diffusion
from wsr.metrics.pointnet import load_pointnet
from wsr.zoo import Zoo

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 31360\n"
DEEP = json.loads("[" * 150 + "]" * 150)
WRONG = (None, "", "x", "x" * 5000, "\x00", -1, 0, 1, 2.5, 10**9, 10**30, -(10**18), 10**4000, float("nan"),
         float("inf"), True, [], {}, [0] * 1000, ["a", "a"], {"a": {"b": 1}}, DEEP)  # fmt: skip
GONE = object()

pytestmark = pytest.mark.usefixtures("bounded")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One small file of each kind, and the functions that read them."""
    folder = tmp_path_factory.mktemp("formats")
    field = BaseField(tiny_config(2), seed=1)
    save_base(folder / "base.safetensors", field, BaseInfo("test", "cpu", 3), torch.zeros(3, 8), ["a", "b", "c"])
    base = load_base(folder / "base.safetensors")
    model = make_representation("mlora-asym", base, base.config, 2, 3)
    mlp = make_representation("mlp-asym", None, base.config, mask_seed=3)
    save_weights(folder / "weights.safetensors", model.initial()[None].expand(2, -1), model, ["a", "b"], (3, 2))
    save_weights(folder / "mlp.safetensors", mlp.initial()[None], mlp, ["a"])
    how = dict(dataset="emoji", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=6)
    zoo = Zoo.create(folder / "zoo", model, **how, snapshots=[1, 6], perturb=0.5, sampled={"end": 0.0})
    zoo.append(model.initial()[None].expand(3, -1), [row("a"), row("b"), row("c")])
    config = DiffusionConfig(16, 1, 2, 8, 1e-3, 1, shared_modulation=True)
    about = {"zoo": zoo.meta, "name": "zoo", "counts": [1, 2]}
    made = WeightDiffusion.new(model, zoo.weights(), config, ["a", "b"], about)
    made.save(folder / "diffusion.safetensors", SaveSettings(bits=6))
    save_encoder(folder / "encoder.safetensors", StartEncoder.new(model, EncoderConfig(features=8)), {"steps": 1})
    return folder


def row(name, **changed):
    return {"id": name, "class": "", "split": "train", "quality": 1.0, "steps": 6, "seconds": 0.0, "target_sha256": "",
            "status": "ok", **changed}  # fmt: skip


def read_weights(path):
    load_weights(path).render(8)


def read_base(path):
    load_base(path)
    load_latents(path)


def read_model(path):
    load_diffusion(path).sample(1, steps=1)


def read_zoo(path):
    zoo = Zoo.open(path)
    zoo.weights(), zoo.weights(zoo.ids[:1]), zoo.decode(zoo.ids[:1], 8)


READERS = {"weights": read_weights, "mlp": read_weights, "base": read_base, "diffusion": read_model,
           "encoder": load_encoder}  # fmt: skip


def paths_in(tree, at=()):
    """Returns the path of every field, including those in JSON inside strings."""
    if isinstance(tree, str) and tree[:1] in ("{", "["):
        yield from paths_in(json.loads(tree), (*at, "json"))
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree[:1]) if isinstance(tree, list) else ()
    for key, value in parts:
        yield (*at, key)
        yield from paths_in(value, (*at, key))


def with_value(tree, place, value):
    """The tree with `value` at a place, or without it."""
    key, rest = place[0], place[1:]
    if key == "json":
        return json.dumps(with_value(json.loads(tree), rest, value))
    tree = copy.copy(tree)
    if rest:
        tree[key] = with_value(tree[key], rest, value)
    elif value is GONE:
        del tree[key]
    else:
        tree[key] = value
    return tree


def header_of(data):
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def written(path, header, body):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)
    return path


def refused_or_read(read, path):
    """Returns True if the file was read and False if it was refused with a sentence; anything else fails."""
    begun = time.process_time()
    try:
        read(path)
        return True
    except WsrError as error:
        assert 20 < len(str(error)) < 1500 and "\n" not in str(error), error
        return False
    finally:
        assert time.process_time() - begun < 20


def test_a_line_break_of_a_file_is_not_quoted(files, tmp_path):
    header, body = header_of((files / "base.safetensors").read_bytes())
    header["base.bias"] = header["base.bias"] | {"dtype": "\n"}
    assert not refused_or_read(READERS["base"], written(tmp_path / "f.safetensors", header, body))


@pytest.mark.parametrize("kind", READERS)
def test_each_field_of_the_metadata_may_be_wrong(files, tmp_path, kind):
    header, body = header_of((files / f"{kind}.safetensors").read_bytes())
    meta, refused = header["__metadata__"], 0
    for place in list(paths_in(meta)):
        # networks take long to build, so only some of the values are tried for each field
        values = random.Random(str(place)).sample(WRONG, 6) if kind in ("diffusion", "encoder") else WRONG
        for value in (GONE, *values):
            value = value if len(place) > 1 or value is GONE else value if isinstance(value, str) else json.dumps(value)
            changed = {**header, "__metadata__": with_value(meta, place, value)}
            path = written(tmp_path / "f.safetensors", changed, body)
            refused += not refused_or_read(READERS[kind], path)
    assert refused > 50


def test_each_field_of_a_zoo_may_be_wrong(files, tmp_path):
    import shutil

    shutil.copytree(files / "zoo", tmp_path / "zoo")
    meta = json.loads((files / "zoo/zoo.json").read_text())
    for place in list(paths_in(meta)):
        for value in (GONE, *WRONG):
            (tmp_path / "zoo/zoo.json").write_text(json.dumps(with_value(meta, place, value)))
            refused_or_read(read_zoo, tmp_path / "zoo")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_two_fields_and_a_tensor_may_be_wrong(files, tmp_path, data):
    kind = data.draw(st.sampled_from(sorted(READERS)))
    header, body = header_of((files / f"{kind}.safetensors").read_bytes())
    for _ in range(2):
        place = data.draw(st.sampled_from([p for p in paths_in(header) if p[-1] != "json"]))
        simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
        value = data.draw(st.recursive(simple, lambda inner: st.lists(inner, max_size=3)))
        try:
            header = with_value(header, place, value)
        # the first change has removed the place of the second one
        except (TypeError, KeyError, IndexError, ValueError):
            continue
    refused_or_read(READERS[kind], written(tmp_path / "f.safetensors", header, body))


def test_columns_and_rows_that_disagree(files, tmp_path):
    import shutil

    def zoo(change=None, weights=None, **meta):
        shutil.rmtree(tmp_path / "zoo", ignore_errors=True)
        shutil.copytree(files / "zoo", tmp_path / "zoo")
        index = pd.read_parquet(tmp_path / "zoo/index.parquet")
        (index if change is None else change(index)).to_parquet(tmp_path / "zoo/index.parquet", index=False)
        if weights is not None:
            file = tmp_path / "zoo/weights-00000.safetensors"
            save_file({"weights": weights(load_file(file)["weights"])}, file)
        known = json.loads((files / "zoo/zoo.json").read_text())
        (tmp_path / "zoo/zoo.json").write_text(json.dumps(known | meta))
        return tmp_path / "zoo"

    read_zoo(zoo())
    wrong = {
        "twice": dict(change=lambda t: pd.concat([t, t.iloc[:1]])),
        "names 5 instances": dict(change=lambda t: pd.concat([t, t.assign(id=["x", "y", "z"])[:2]])),
        "'status'": dict(change=lambda t: t.drop(columns="status")),
        "'steps' should": dict(change=lambda t: t.assign(steps="x")),
        "'quality' should": dict(change=lambda t: t.assign(quality="x")),
        "'id' should": dict(change=lambda t: t.assign(id=[1, 2, 3])),
        r"has 1 gap\.": dict(change=lambda t: t.assign(id=["a", None, "c"])),
        "a text of": dict(change=lambda t: t.assign(split="x" * 20_000)),
        "within": dict(change=lambda t: t.assign(own=[[1], [2], [3]])),
        "names 3 instances": dict(weights=lambda w: w[:2].clone()),
        r"not \('any'": dict(weights=lambda w: w[:, :-1].clone()),
        "of F32": dict(weights=lambda w: w.float()),
        "of I64": dict(weights=lambda w: w.long()),
        "not finite": dict(weights=lambda w: w.index_fill(0, torch.tensor([1]), float("nan"))),
        "representation|layout": dict(representation="mlora"),
        "should begin|layout": dict(layout=[{"name": "a", "shape": [4], "offset": 3, "frozen": []}]),
        "F32|dtype": dict(dtype="float32"),
    }
    for said, changed in wrong.items():
        path = zoo(**changed)
        with pytest.raises(WsrError, match=said):
            read_zoo(path)
    (zoo() / "zoo.json").write_text("[" * 10_000 + "]" * 10_000)
    with pytest.raises(WsrError, match="recursion|JSON"):
        read_zoo(tmp_path / "zoo")
    with open(tmp_path / "zoo/zoo.json", "wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(WsrError, match="bytes"):
        read_zoo(tmp_path / "zoo")
    few = zoo(change=lambda t: t.assign(own=[1.0, None, 3.0], words=["x", None, "z"]))
    assert Zoo.open(few).index["own"].isna().sum() == 1  # additional columns of an index may hold any plain values


def test_a_file_of_weights_says_what_disagrees(files, tmp_path):
    header, body = header_of((files / "weights.safetensors").read_bytes())
    meta = header["__metadata__"]
    for said, changed in {
        "'ids'|shape": {"ids": json.dumps(["a"])},
        "twice": {"ids": json.dumps(["a", "a"])},
        "layout": {"representation": "lora-asym", "layout": meta["layout"].replace("layers.0.A", "other")},
        "the shape": {"representation": "mlora"},
        "another base": {"base_sha256": "0" * 64},
        "'rank'": {"rank": str(10**9)},
        "'field.channels'": {"field": json.dumps({**json.loads(meta["field"]), "channels": 10**9})},
        "of this version": {"field": json.dumps({**json.loads(meta["field"]), "warp": 1})},
    }.items():
        path = written(tmp_path / "w.safetensors", {**header, "__metadata__": {**meta, **changed}}, body)
        with pytest.raises(WsrError, match=said):
            load_weights(path)
    load_weights(written(tmp_path / "w.safetensors", {**header, "__metadata__": {**meta, "later": "{"}}, body))
    kept = load_weights(files / "weights.safetensors")
    save_weights(tmp_path / "nan.safetensors", kept.weights * float("nan"), kept.representation, kept.ids)
    with pytest.raises(WsrError, match="not finite"):
        load_weights(tmp_path / "nan.safetensors").render(8)


@pytest.mark.parametrize("content, said", [(LFS, "LFS pointer.*git lfs pull"), (b"<!DOCTYPE html><html>", "web page"),
                                           (b"", "empty"), (b"\xff" * 8 + b"{", "header"),
                                           (b"nothing of ours", "not")])  # fmt: skip
def test_a_git_lfs_pointer_or_another_file_in_place_of_ours_is_named(files, tmp_path, content, said):
    import shutil

    path = tmp_path / "f.safetensors"
    path.write_bytes(content)
    for read in (read_weights, load_base, load_latents, read_model, load_pointnet):
        with pytest.raises(WsrError, match=said):
            read(path)
    shutil.copytree(files / "zoo", tmp_path / "zoo")
    for name in ("weights-00000.safetensors", "index.parquet", "zoo.json"):
        (tmp_path / "zoo" / name).write_bytes(content)
        with pytest.raises(WsrError, match=name):
            Zoo.open(tmp_path / "zoo")
        if content == LFS:
            with pytest.raises(WsrError, match=said):
                Zoo.open(tmp_path / "zoo")


def test_a_folder_a_device_and_a_long_path_are_no_files(tmp_path):
    for path in (tmp_path, "/dev/zero", "x" * 5000, "/".join(["x" * 200] * 30), "a\x00b", tmp_path / "none"):
        for read in (load_weights, load_base, load_diffusion, load_pointnet, Zoo.open):
            with pytest.raises(WsrError):
                read(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
def test_a_file_that_was_cut_short_is_refused(files, tmp_path, share):
    for kind, read in READERS.items():
        data = (files / f"{kind}.safetensors").read_bytes()
        (tmp_path / "f.safetensors").write_bytes(data[: int(len(data) * share)])
        assert not refused_or_read(read, tmp_path / "f.safetensors")
