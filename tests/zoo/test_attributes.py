"""Attributes of signals are kept in the index of a zoo, and old zoos, which have none, open as before."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from wsr.data import Signals
from wsr.errors import WsrError
from wsr.zoo import Zoo, build_zoo, merge_zoos, shard
from wsr.zoo.compress import compress_zoo
from wsr.zoo.trajectories import build_trajectories

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def described(signals: Signals) -> Signals:
    """Signals of which every other one has a text and a number as attributes, and the rest another number."""
    made = []
    for i, signal in enumerate(signals):
        known = {"glasses": "round", "turn": i / 10} if i % 2 else {"turn": -i / 10, "legs": i}
        made.append(replace(signal, describe=lambda known=known: known))
    return Signals(signals.name, signals.dim, made)


def test_a_zoo_keeps_the_attributes_of_its_instances(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), described(signals)))
    zoo = Zoo.open(tmp_path / "zoo")
    table = zoo.attributes
    assert table.index.tolist() == signals.ids and set(table) == {"glasses", "turn", "legs"}
    assert table["turn"].tolist() == [i / 10 if i % 2 else -i / 10 for i in range(10)]
    assert [name if isinstance(name, str) else None for name in table["glasses"]] == [None, "round"] * 5
    assert table["legs"].dropna().tolist() == [0, 2, 4, 6, 8]
    assert "attribute turn" in zoo.index and (zoo.index["class"] == "").all()


def test_a_killed_run_and_shards_keep_them_too(made, tmp_path):
    create, signals = made
    signals = described(signals)
    next(run := build_zoo(create("cut"), signals))
    run.close()
    list(build_zoo(create("cut"), signals))
    whole = Zoo.open(tmp_path / "cut")
    for i in range(2):
        list(build_zoo(create(f"shard{i}"), shard(signals, f"{i}/2")))
    merged = merge_zoos(tmp_path / "merged", [tmp_path / "shard0", tmp_path / "shard1"], whole.representation)
    pd.testing.assert_frame_equal(merged.attributes, whole.attributes, check_like=True)
    small = compress_zoo(whole, tmp_path / "small")
    pd.testing.assert_frame_equal(small.attributes, whole.attributes)


def test_snapshots_have_those_of_their_instance(made, tmp_path):
    create, signals = made
    list(build_trajectories(create(snapshots=[2, 6]), described(signals), (2, 6)))
    table = Zoo.open(tmp_path / "zoo").attributes
    assert len(table) == 20 and table.loc["p3.png@2", "glasses"] == table.loc["p3.png@6", "glasses"] == "round"


def test_a_zoo_without_attributes_opens_as_before(made, tmp_path):
    create, signals = made
    list(build_zoo(create(), signals))
    zoo = Zoo.open(tmp_path / "zoo")
    assert zoo.attributes.shape == (10, 0) and zoo.attributes.index.tolist() == zoo.ids


@pytest.mark.parametrize("values", [[True] * 10, [b"a"] * 10, [[1]] * 10])
def test_attributes_are_texts_or_numbers(made, tmp_path, values):
    create, signals = made
    list(build_zoo(create(), signals))
    path = tmp_path / "zoo/index.parquet"
    pd.read_parquet(path).assign(**{"attribute odd": values}).to_parquet(path, index=False)
    with pytest.raises(WsrError, match="attribute odd|columns within"):
        Zoo.open(tmp_path / "zoo")


@pytest.mark.parametrize("values, said", [
    ((True, False), "is True, which is neither"),
    (("large", 3), "is 3, which is a number, and a text in other"),
    ((None, 0.5, "small"), "is 'small', which is a text, and a number in other"),
    (([1],), "is \\[1\\], which is neither"),
])  # fmt: skip
def test_attributes_that_could_not_be_read_again_are_refused(made, tmp_path, values, said):
    """Truth values were stored, and the zoo could not be opened any more; mixtures ended a run."""
    create, signals = made
    known = [{"size": value} for value in values] + [{}] * len(signals)
    items = [replace(signal, describe=lambda i=i: known[i]) for i, signal in enumerate(signals)]
    with pytest.raises(WsrError, match=said):
        list(build_zoo(create(), Signals(signals.name, signals.dim, items)))
    assert len(Zoo.open(tmp_path / "zoo")) == 0


def test_gaps_are_no_kind_of_attribute(made, tmp_path):
    """A batch of gaps alone made a zoo that could not be opened, or was taken for one of texts."""
    create, signals = made
    zoo = create()
    common = {"class": "", "split": "train", "quality": 40.0, "steps": 6, "seconds": 0.0, "target_sha256": "",
              "status": "ok", "attribute never": None}  # fmt: skip
    for number, size in enumerate((None, float("nan"), 0.5, None, 0.7)):
        zoo.append(torch.zeros(1, zoo.representation.size), [{"id": str(number), "attribute size": size, **common}])
        found = Zoo.open(tmp_path / "zoo").attributes
        assert set(found) == ({"size"} if number > 1 else set())
    assert found["size"].dropna().tolist() == [0.5, 0.7] and found["size"].dtype == float


def test_queries_for_held_out_fits_never_return_the_test(made, tmp_path):
    create, signals = made
    zoo = create()
    splits = ["train", "heldout", "validation", "test"]
    common = {"class": "", "quality": 40.0, "steps": 6, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    rows = [{"id": split, "split": split, **common} for split in splits]
    zoo.append(torch.zeros(4, zoo.representation.size), rows)
    for asked in ("heldout", "validation"):
        assert zoo.good(asked)["id"].tolist() == ["heldout", "validation"]
    assert zoo.good("test")["id"].tolist() == ["test"] and len(zoo.good()) == 4
    with pytest.raises(WsrError, match="Unknown split"):
        zoo.good("tset")


def test_rows_of_snapshots_and_of_pairs_belong_to_an_instance(made):
    create, _ = made
    ids = ["a@1.png@2", "a@1.png@6", "b.png@2"]
    for several in (create("snapshots", snapshots=[2, 6]), create("pairs", perturb=1.0)):
        assert several.instances(ids) == ["a@1.png", "a@1.png", "b.png"]
    assert create().instances(ids) == ids  # the name of a picture may contain an "@"
