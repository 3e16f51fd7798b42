"""Samples that somebody brings are judged against the zoo that their generator has learnt from."""

import numpy as np
import pytest
import torch
from toy_features import Means

from wsr.analysis.novelty import audit_of, halves
from wsr.analysis.pairs import HELD_OUT, SAMPLES, pair_report, rate_of, set_aside
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators.baselines import averages
from wsr.presets import FieldConfig
from wsr.zoo import Zoo

TINY = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 8, 2)
COLUMNS = {"generator", "sample", "novelty", "quality", "distance", "nearest", "between", "verdict", "looks like"}


def made(folder, splits):
    model = make_representation("mlp", None, TINY, mask_seed=7)
    zoo = Zoo.create(folder, model, dataset="toys", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=6)
    weights = model.initial() + torch.randn(len(splits), model.size, generator=torch.Generator().manual_seed(0))
    common = {"class": "a", "quality": 30.0, "steps": 10, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    zoo.append(weights, [{"id": f"toy-{i}", "split": split, **common} for i, split in enumerate(splits)])
    return zoo


def report(zoo, samples, everything=False):
    return pair_report(zoo, samples, None, lambda said, done: None, everything=everything)


def test_copies_blends_and_new_weights_are_told_apart(tmp_path):
    zoo = made(tmp_path / "zoo", ["train"] * 40 + ["heldout"] * 80)
    train = zoo.weights(zoo.good("train")["id"].tolist())
    new = zoo.representation.initial() + torch.randn(20, train.shape[1], generator=torch.Generator().manual_seed(9))
    copies = train[:10] + 0.02 * torch.randn(10, train.shape[1], generator=torch.Generator().manual_seed(1))
    rows, about = report(zoo, torch.cat([copies, averages(train, 2, 10), new]))
    assert set(rows) >= COLUMNS and about["alarm"] == 0.05
    own = rows[rows["generator"] == SAMPLES]
    assert own["verdict"][:10].tolist() == ["replica"] * 10 and own["nearest"][:10].tolist() == zoo.ids[:10]
    assert own["verdict"][10:20].tolist() == ["blend"] * 10 and (own["verdict"][20:] == "novel").sum() >= 17
    assert np.allclose(own["novelty"][20:].median(), 1, atol=0.1) and own["novelty"][:10].max() < 0.2
    assert about["summaries"][SAMPLES]["replica"] == pytest.approx((own["verdict"] == "replica").mean())
    assert rows["generator"].unique().tolist()[:2] == [SAMPLES, HELD_OUT] and about["audited"] == zoo.ids[:40]
    audit, _, _ = audit_of(zoo)
    assert [verdict.word for verdict in audit.judge(copies)] == own["verdict"][:10].tolist()


def test_bounds_are_as_strict_as_the_held_out_fits_allow(tmp_path):
    zoo = made(tmp_path / "zoo", ["train"] * 20 + ["test"] * 4 + ["heldout"] * 20)
    rows, about = report(zoo, zoo.weights(zoo.ids[:3]))
    assert rate_of(zoo) == about["alarm"] == pytest.approx(0.2) and rows["verdict"][:3].tolist() == ["replica"] * 3
    few = made(tmp_path / "few", ["train"] * 20 + ["heldout"] * 5)
    with pytest.raises(WsrError, match="sets 5 networks aside, and 16 are needed"):
        report(few, few.weights())


def test_the_halves_of_families_may_be_of_unlike_size(tmp_path):
    """The rate was that of equal halves, which the smaller one could not set."""
    families = [f"1f4{i:02x}" for i in range(16)]
    ids = [f"{name}{tone}" for i, name in enumerate(families) for tone in ("", "-1f3fb")[: 1 + i % 2]]
    zoo = made(tmp_path / "zoo", ["train"] * 20 + ["heldout"] * len(ids))
    zoo.meta["dataset"] = "emoji"
    zoo.index["id"] = [*zoo.ids[:20], *ids]
    assert sorted(map(len, halves(zoo)[1])) == [8, 16] and rate_of(zoo) == 0.25
    assert report(zoo, zoo.weights()[:3])[1]["tested"] == 24
    zoo.index["id"] = [*zoo.ids[:20], *(f"1f44b@{i}" for i in range(len(ids)))]
    with pytest.raises(WsrError, match="the smaller half has 0, and 8 are needed"):
        rate_of(zoo)


def test_where_nobody_says_what_was_seen_copies_of_every_fit_are_found(tmp_path):
    zoo = made(tmp_path / "zoo", ["train"] * 100)
    assert set_aside(zoo)
    reopened = Zoo.open(zoo.path)
    assert reopened.index["split"].tolist() == zoo.index["split"].tolist() and 16 <= len(zoo.good("heldout")) < 40
    assert set_aside(reopened)  # they are still ours
    rows, about = report(zoo, zoo.weights() + 0.01, everything=True)
    own = rows[rows["generator"] == SAMPLES]
    assert (own["verdict"] == "replica").all() and own["nearest"].tolist() == zoo.ids
    held = rows[rows["generator"] == HELD_OUT]
    assert (held["verdict"] == "novel").mean() > 0.6  # which are not compared with themselves
    stated = made(tmp_path / "stated", ["train", "heldout"] * 20)
    assert not set_aside(stated) and stated.index["split"].tolist() == ["train", "heldout"] * 20


def test_a_test_set_is_held_out_where_there_is_no_validation_set(tmp_path):
    """The zoo was refused, with advice to call these fits otherwise."""
    zoo = made(tmp_path / "zoo", ["train"] * 20 + ["test"] * 20)
    assert not set_aside(zoo)  # the generator has not seen them
    assert zoo.good("heldout")["id"].tolist() == zoo.ids[20:]
    rows, _ = report(zoo, zoo.weights(zoo.ids[:3]))
    assert rows["verdict"][:3].tolist() == ["replica"] * 3
    three = made(tmp_path / "three", ["train", "heldout", "test"] * 10)
    assert not set_aside(three) and three.index["split"].tolist() == ["train", "heldout", "test"] * 10


def test_what_samples_show_is_compared_with_held_out_fits(tmp_path):
    zoo = made(tmp_path / "zoo", ["train"] * 20 + ["heldout"] * 20)
    samples = torch.cat([zoo.weights(zoo.ids[20:25]), zoo.weights(zoo.ids[:1]) * 30])
    rows, about = pair_report(zoo, samples, Means(), lambda said, done: None, everything=False)
    quality = rows["quality"][:6].to_numpy()
    assert (quality[:5] < 1e-3).all() and quality[5] > 0.1 and about["extractor"] == "means"
    assert rows[rows["generator"] == HELD_OUT]["quality"].median() == pytest.approx(1)
