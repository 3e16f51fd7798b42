"""Sizes that a file states are checked before anything of these sizes is allocated."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import tiny_config
from wsr import representations
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import base_shapes
from wsr.fields.representation import make_representation
from wsr.formats import read_table
from wsr.metrics.pointnet import PointNet, load_pointnet

pytestmark = pytest.mark.usefixtures("bounded")


def test_a_public_checkpoint_may_not_pretend_to_be_large(tmp_path):
    """A tensor with stride 0 claims 10⁹ classes and takes four bytes."""
    state = PointNet(10).state_dict()
    state["fc3.bias"] = torch.zeros(1).expand(10**9)
    torch.save(state, tmp_path / "p.pth")
    for content in (state, {"model_state_dict": [1]}, [1], {"fc3.bias": 3}):
        torch.save(content, tmp_path / "p.pth")
        with pytest.raises(WsrError, match="PointNet"):
            load_pointnet(tmp_path / "p.pth")
    save_file({"fc3.bias": torch.zeros(10)}, tmp_path / "p.safetensors")
    with pytest.raises(WsrError, match="missing"):
        load_pointnet(tmp_path / "p.safetensors")


def test_sizes_are_known_without_allocating():
    for dim in (2, 3):
        config = tiny_config(dim)
        base = BaseField(config)
        assert base_shapes(config) == {name: tuple(value.shape) for name, value in base.state_dict().items()}
        for name in representations:
            model = make_representation(name, base, config, 2)
            assert model.stored_size(model.kind, config, model.rank) == model.size


def test_a_table_is_bounded_before_it_is_unpacked(tmp_path):
    """A few bytes of Parquet may stand for gigabytes of text."""
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(200_000, np.int32)), pa.array(["x" * 1_000_000]))
    pq.write_table(pa.table({"id": words}), tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 2_000_000
    with pytest.raises(WsrError, match="1,000,000 bytes"):
        read_table(tmp_path / "t.parquet", "a table", {"id": "str"})
