"""A compressed zoo is the same zoo with half the bytes."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from wsr.errors import WsrError
from wsr.fields.checkpoint import load_base
from wsr.fields.representation import make_representation
from wsr.zoo import Zoo, build_zoo, check_zoo, compress_zoo, merge_zoos
from wsr.zoo.checked import taken_along


def test_a_compressed_zoo_is_the_same_to_a_level_of_each_parameter(made, tmp_path, monkeypatch):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    monkeypatch.setattr("wsr.zoo.compress.MAX_FILE_BYTES", 200_000 + 3 * zoo.weights().shape[1])
    small = compress_zoo(zoo, tmp_path / "small")
    assert small.ids == zoo.ids and small.meta == {**zoo.meta, "dtype": "uint8"}
    assert len(list(small.path.glob("weights-*"))) == 4
    step = (zoo.weights().amax(0) - zoo.weights().amin(0)) / 255
    assert ((small.weights() - zoo.weights()).abs() <= 0.5 * step + 1e-3 * zoo.weights().abs() + 1e-6).all()
    monkeypatch.setattr("wsr.zoo.zoo.FEW", 3)
    assert torch.equal(Zoo.open(small.path).weights(small.ids[7:5:-1]), small.weights(small.ids[7:5:-1]))
    assert check_zoo(small).ok, "the index states the quality of the weights that are there"
    with pytest.raises(WsrError, match="compressed"):
        small.append(zoo.weights()[:1], [{"id": "new"}])
    with pytest.raises(WsrError, match="exists"):
        compress_zoo(zoo, tmp_path / "small")


def test_what_a_zoo_carries_goes_along(made, tmp_path, monkeypatch):
    """The copy named the base in the folder that it was made from, and could not be opened without that."""
    create, signals = made
    list(build_zoo(create(), signals))
    base = tmp_path / "zoo/base.safetensors"
    shutil.copyfile(tmp_path / "base.safetensors", base)
    about = tmp_path / "zoo/zoo.json"
    about.write_text(json.dumps(json.loads(about.read_text()) | {"base": str(base)}))

    def opened(meta):
        field = load_base(meta["base"])
        return make_representation("mlora-asym", field, field.config, 2, 3)

    monkeypatch.setattr("wsr.zoo.zoo.load_representation", opened)
    small = compress_zoo(Zoo.open(tmp_path / "zoo"), tmp_path / "small")
    merged = merge_zoos(tmp_path / "merged", [tmp_path / "zoo"])
    shutil.rmtree(tmp_path / "zoo")
    for zoo in (Zoo.open(small.path), Zoo.open(merged.path)):
        assert zoo.meta["base"] == str(zoo.path / "base.safetensors") and Path(zoo.meta["base"]).is_file()
    source, other = tmp_path / "source", tmp_path / "other"
    source.mkdir()
    other.mkdir()
    (source / "shared.safetensors").write_bytes(b"1")
    field = {"shared": {"path": str(source / "shared.safetensors"), "sha256": "x"}}
    found = taken_along({"base": str(tmp_path / "base.safetensors"), "field": field}, source, other)
    assert found["field"]["shared"] == {"path": "shared.safetensors", "sha256": "x"}
    assert (other / "shared.safetensors").read_bytes() == b"1"
    assert found["base"] == str(tmp_path / "base.safetensors"), "what lies elsewhere stays there"
    meta = {"base": str(small.path / "base.safetensors")}
    assert taken_along(meta, small.path, small.path) == meta, "a zoo that is merged into itself has it already"


def test_a_number_may_have_fewer_bits(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    small = compress_zoo(zoo, tmp_path / "small", bits=6)
    step = (zoo.weights().amax(0) - zoo.weights().amin(0)) / 63
    assert ((small.weights() - zoo.weights()).abs() <= 0.5 * step + 1e-3 * zoo.weights().abs() + 1e-6).all()
    sizes = [sum(file.stat().st_size for file in (tmp_path / name).glob("weights-*")) for name in ("zoo", "small")]
    assert sizes[1] < sizes[0]
    with pytest.raises(WsrError, match="cannot be written"):
        compress_zoo(zoo, tmp_path / ("x" * 300))
    with pytest.raises(WsrError, match="2 to 8 bits"):
        compress_zoo(zoo, tmp_path / "other", bits=9)


def test_a_part_may_be_copied(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    ids = [zoo.ids[5], zoo.ids[1], zoo.ids[2]]
    part = compress_zoo(zoo, tmp_path / "part", ids=ids)
    assert part.ids == ids and check_zoo(part).ok
    step = (zoo.weights(ids).amax(0) - zoo.weights(ids).amin(0)) / 255
    assert ((part.weights(ids) - zoo.weights(ids)).abs() <= 0.5 * step + 1e-3 * zoo.weights(ids).abs() + 1e-6).all()
    with pytest.raises(WsrError, match="Unknown"):
        compress_zoo(zoo, tmp_path / "other", ids=["nobody"])


def test_an_empty_zoo_has_nothing_to_compress(made, tmp_path):
    create, _ = made
    with pytest.raises(WsrError, match="empty"):
        compress_zoo(create(), tmp_path / "small")


def test_files_hold_a_vector_at_least_and_no_more_than_their_share(made, tmp_path, monkeypatch):
    """Zoos of large networks could not be compressed, or into files larger than they should be."""
    create, signals = made
    zoo = create()
    list(build_zoo(zoo, signals))
    monkeypatch.setattr("wsr.zoo.compress.HEADER_BYTES", 1)
    for most, files in ((zoo.stored, 10), (zoo.stored * (8 + 2) + 10_000, 5)):
        monkeypatch.setattr("wsr.zoo.compress.MAX_FILE_BYTES", most)
        small = compress_zoo(zoo, tmp_path / f"small{files}")
        assert len(list(small.path.glob("weights-*"))) == files and small.weights().shape == zoo.weights().shape


@pytest.mark.parametrize("number", [float("nan"), 60_000.0])
def test_a_fit_that_diverged_costs_the_others_nothing(made, tmp_path, number):
    """What was finite of its weights widened the range of the parameters, and so the steps of all others."""
    create, signals = made
    zoo = create()
    list(build_zoo(zoo, signals[:4]))
    good = zoo.weights()
    spoilt = torch.full_like(good[:1], 60_000.0)
    spoilt[0, 0] = number  # huge ones may be finite, and what they draw is not
    zoo.append(spoilt, [zoo.index.iloc[0].to_dict() | {"id": "bad", "status": "diverged: weights are not finite"}])
    small = compress_zoo(zoo, tmp_path / "small")
    step = (good.amax(0) - good.amin(0)) / 255
    assert ((small.weights()[:4] - good).abs() <= 0.5 * step + 1e-3 * good.abs() + 1e-6).all()
    assert small.weights().isfinite().all() and small.index["status"].tolist() == zoo.index["status"].tolist()
