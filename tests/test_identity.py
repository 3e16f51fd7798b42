"""Identities hash everything that a result depends on, and say in words what differs."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from wsr.errors import WsrError
from wsr.identity import Identity, content_hash, files_hash


@dataclass(frozen=True)
class Settings:
    lr: float
    betas: tuple[float, float] = (0.9, 0.99)


def identity(**changed) -> Identity:
    return Identity.of("fit", 1, **{"seed": 0, "settings": Settings(1e-3), "data": content_hash("a")} | changed)


def test_it_is_the_same_after_a_file_and_in_another_order():
    one = identity()
    again = Identity.read(json.loads(json.dumps(one.record())))
    assert again == one and again.key == one.key and not again.differences(one)
    assert Identity.of("fit", 1, data=content_hash("a"), settings=Settings(1e-3), seed=0).key == one.key
    assert len(one.short) == 16 and one.key.startswith(one.short)


@pytest.mark.parametrize(
    "other, said",
    [
        (identity(seed=1), "seed was 0 and is now 1"),
        (identity(settings=Settings(2e-3)), "settings.lr was 0.001 and is now 0.002"),
        (identity(settings=Settings(1e-3, (0.5, 0.9))), "settings.betas was [0.9, 0.99] and is now [0.5, 0.9]"),
        (identity(data=content_hash("b")), "data is another"),
        (identity(more=True), "more is now true and was not stated"),
        (Identity.of("fit", 2, **identity().parts), "version of the method was 1 and is now 2"),
        (Identity.of("base", 1, **identity().parts), 'method was "fit" and is now "base"'),
    ],
)
def test_what_differs_is_said(other, said):
    assert other.key != identity().key
    assert other.differences(identity()) == [said]
    with pytest.raises(WsrError) as refused:
        other.require_same(identity(), "x.pt", "remove it")
    assert said in str(refused.value) and str(refused.value).endswith("remove it.")


def test_a_file_without_an_identity_is_not_the_same_run():
    for record in (None, "text", {}, {"parts": 3}, []):
        assert Identity.read(record) is None
    with pytest.raises(WsrError, match="does not say what it was made of"):
        identity().require_same(None, "x", "remove it")


def test_many_differences_are_counted():
    many = Identity.of("fit", 1, **{f"p{i}": 1 for i in range(9)})
    with pytest.raises(WsrError, match="and 5 more"):
        many.require_same(Identity.of("fit", 1, **{f"p{i}": 0 for i in range(9)}), "x", "remove it")


def test_content_is_told_apart_by_values_shape_and_type():
    x = torch.arange(6.0)
    different = [x, x + 1, x.view(2, 3), x.half(), x.bfloat16(), x.numpy(), x.double().numpy(), "x", ["x"], ["x", "y"]]
    assert len({content_hash(item) for item in different}) == len(different)
    assert content_hash(x) == content_hash(x.clone()) and content_hash("a", "b") != content_hash("ab")
    assert content_hash(np.zeros((2, 3))[:, ::2]) == content_hash(np.zeros((2, 2)))
    assert content_hash(torch.tensor(3)) != content_hash(torch.tensor(4))


def test_files_are_told_apart_by_name_and_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    first = files_hash([tmp_path / "a"])
    assert first != files_hash([tmp_path / "b"]) and first == files_hash([tmp_path / "a"])
    (tmp_path / "a").write_bytes(b"2")
    assert files_hash([tmp_path / "a"]) != first
