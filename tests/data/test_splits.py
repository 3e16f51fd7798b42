"""Splits and attributes of data sets: what a query returns, and which attributes signals state."""

import numpy as np
import pytest

from wsr.data import Signal, Signals
from wsr.data.splits import SPLITS, names_of
from wsr.errors import WsrError


def signals(*splits: str, **options) -> Signals:
    picture = np.zeros((8, 8, 3), np.float32)
    made = [Signal(f"p{i}", "", split, 2, lambda: picture, **options) for i, split in enumerate(splits)]
    return Signals("pictures", 2, made)


def test_held_out_is_an_older_name_of_validation_and_never_the_test():
    old, new = signals("train", "heldout"), signals("train", "validation", "test")
    for asked in ("heldout", "validation"):
        assert old.where(split=asked).ids == ["p1"] and new.where(split=asked).ids == ["p1"]
    assert new.where(split="test").ids == ["p2"] and not len(old.where(split="test"))
    assert [names_of(split) for split in SPLITS].count(("validation", "heldout")) == 2


def test_an_unknown_split_names_the_nearest():
    with pytest.raises(WsrError, match="validation"):
        signals("train").where(split="valid")


def test_attributes_are_columns_with_gaps_where_a_signal_has_none():
    one = Signal("a", "", "train", 2, lambda: None, describe=lambda: {"glasses": "round", "turn": 1.5})
    other = Signal("b", "", "train", 2, lambda: None, describe=lambda: {"turn": -2.0, "legs": 4})
    table = Signals("two", 2, [one, other, *signals("test")]).attributes
    assert table.index.tolist() == ["a", "b", "p0"] and list(table) == ["glasses", "turn", "legs"]
    assert table.loc["a", "glasses"] == "round" and table["turn"].tolist()[:2] == [1.5, -2.0]
    assert table["glasses"].isna().tolist() == [False, True, True] and table["legs"].notna().sum() == 1
    assert signals("train")[0].attributes == {} and signals("train").attributes.empty
