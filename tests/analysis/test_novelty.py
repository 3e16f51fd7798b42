"""The audit detects planted copies however they are disguised, lets new weights pass, and keeps its false-positive
rate."""

from dataclasses import replace

import pytest
import torch

from wsr import representations
from wsr.analysis.novelty import Audit, audit_of, audited_ids
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators.baselines import disguises, plants


@pytest.fixture(params=representations)
def model(request, base, config):
    return make_representation(request.param, base, config, mask_seed=7)


def fits(model, count, seed):
    """Weights near a smooth surface of 8 dimensions plus individual noise; new weights are of the same distribution."""
    ways = torch.randn(8, model.size, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    own = 0.3 * torch.randn(count, model.size, generator=generator)
    return model.initial() + 0.2 * (torch.randn(count, 8, generator=generator) @ ways / 8**0.5 + own)


@pytest.fixture
def audit(model):
    made = Audit(model, fits(model, 60, 1))
    made.calibrate(fits(model, 100, 2), 0.1)
    return made


def test_every_planted_copy_is_found(model, audit):
    training = fits(model, 60, 1)
    made = plants(model, training, 20)
    assert set(made) - {"noise 0.1", "average of 2"} <= set(model.kind.allowed)
    assert ("sign" in made) == ("sign" in model.kind.allowed)
    for name, planted in made.items():
        words = {verdict.word for verdict in audit.judge(planted)}
        assert "novel" not in words, name
    found = audit.judge(made["noise 0.1"])
    rows = torch.randint(0, 60, (20,), generator=torch.Generator().manual_seed(0))
    assert [verdict.word for verdict in found] == ["replica"] * 20
    assert [verdict.nearest for verdict in found] == rows.tolist()


def test_disguises_hide_what_they_say(model):
    training = fits(model, 60, 1)
    made = disguises(model, training, 5)
    assert set(plants(model, training, 5)) | {"average of 16", "line at 0.3"} <= set(made)
    points = torch.rand(1, 30, model.dim, generator=torch.Generator().manual_seed(3)) * 2 - 1

    def field(weights):
        return model.unmasked().evaluate(model.layout.fill(weights), points)

    for kind in set(made) & set(model.kind.symmetries):
        assert torch.allclose(field(made[kind]), field(training[:5]), atol=1e-4), kind
        assert not torch.allclose(made[kind], training[:5], atol=1e-3), kind
    ends = made["line at 0.3"] - 0.7 * training[:, None]  # of the other end three tenths are left
    assert torch.cdist(ends.flatten(0, 1) / 0.3, training).reshape(60, 5, 60).amin((0, 2)).max() < 0.1


def test_a_copy_to_the_last_digit_is_a_replica(model, audit):
    assert {verdict.word for verdict in audit.judge(fits(model, 60, 1)[:8])} == {"replica"}


def test_a_sample_without_the_noise_of_fitting_is_no_copy(model):
    """A sample without the noise of fitting is nearer to its nearest training weight than new fits are, without being a
    copy."""

    def noise(count, seed):
        return model.initial() + torch.randn(count, model.size, generator=torch.Generator().manual_seed(seed))

    audit = Audit(model, noise(60, 1))
    audit.calibrate(noise(100, 2), 0.1)
    new = noise(40, 3)
    quiet = model.initial() + 0.5 * (new - model.initial())
    assert (audit.distances(quiet).distance < audit.distances(new).distance).all()
    words = [verdict.word for verdict in audit.judge(quiet)]
    # at least half of the 40; by their distance alone all would be called copies
    assert words.count("novel") >= 20, words


def test_an_average_is_a_blend_of_its_two(model, audit):
    training = fits(model, 60, 1)
    (verdict,) = audit.judge((0.4 * training[3] + 0.6 * training[8])[None])
    assert verdict.word == "blend" and set(verdict.pair) == {3, 8} and verdict.line < 0.05


def test_the_false_alarm_rate_is_the_stated_one(model, audit):
    words = [verdict.word for verdict in audit.judge(fits(model, 200, 9))]
    share = 1 - words.count("novel") / 200
    assert abs(share - 0.1) < 0.1  # three standard errors of 100 calibrating fits and 200 tested ones
    own = audit.distances(fits(model, 100, 2))
    replica, blend = audit.thresholds
    called = int(((own.replica < replica) | (own.blend < blend)).sum())
    # about 10 of 100: an interpolated quantile need not lie between the tenth and the eleventh distance
    assert 7 <= called <= 13


def test_a_zoo_is_judged_by_the_other_half_of_its_held_out_fits(zoo):
    audit, training, tested = audit_of(zoo, 0.2)
    assert len(training) == 60 and len(tested) == 30
    assert sum(verdict.word != "novel" for verdict in tested) / 30 < 0.5
    heldout = zoo.index[zoo.index["split"] == "heldout"].sort_values("class", kind="stable")["id"].tolist()
    again = Audit(zoo.representation, zoo.weights(training))
    again.calibrate(zoo.weights(heldout[::2]), 0.2)
    assert again.thresholds == pytest.approx(audit.thresholds, abs=1e-4)
    assert [v.word for v in again.judge(zoo.weights(heldout[1::2]))] == [v.word for v in tested[:15]]
    with pytest.raises(WsrError, match="cannot be set by 15"):
        audit_of(zoo, 0.01)


def test_neither_half_of_the_held_out_fits_knows_a_family_of_the_other(zoo, monkeypatch):
    zoo.meta["dataset"], seen = "emoji/people", []
    tones = ["", "-1f3fb", "-1f3fd"]
    names = [f"1f4{i:02x}{tone}" for i in range(30) for tone in tones]
    index = zoo.index.assign(id=names)
    monkeypatch.setattr(type(zoo), "good", lambda self, split=None: index[index["split"] == split])
    monkeypatch.setattr(type(zoo), "weights", lambda self, ids: fits(self.representation, len(ids), len(ids)))
    monkeypatch.setattr(Audit, "_calibrate", lambda self, found, rate: seen.append(len(found.distance)))
    monkeypatch.setattr(Audit, "_verdicts", lambda self, found: [])
    audit_of(zoo, 0.2)
    assert seen == [15, 15]  # three fits of each of ten families, of which five are on either side


def test_the_nearest_are_told_by_every_measure(model, audit):
    training = fits(model, 60, 1)
    found = audit.neighbours(training[:4] * 1.0)
    assert set(found) >= {"raw L2", "raw cosine"} and ("canonical L2" in found) == bool(model.kind.allowed)
    for rows, away in found.values():
        assert rows.tolist() == [0, 1, 2, 3] and (away < 1e-2).all()
    among = audit.among()
    assert len(among) == 60 and (among > 0.1).all()
    apart = torch.stack([audit.distances(training[i : i + 1]).distance for i in range(4)])
    assert (apart < 1e-3).all()  # `distances` finds each weight itself, which `among` leaves out


def test_ranks_of_many_components_are_found_in_any_order(base, config):
    model = make_representation("lora", base, replace(config, rank=6))
    training = fits(model, 20, 1)
    audit = Audit(model, training)
    audit.calibrate(fits(model, 60, 2), 0.1)
    moved = plants(model, training, 4)["permutation"]
    assert {verdict.word for verdict in audit.judge(moved)} == {"replica"}


def test_distances_do_not_depend_on_the_block(model, audit, monkeypatch):
    samples = fits(model, 5, 4)
    whole = audit.distances(samples)
    monkeypatch.setattr("wsr.analysis.novelty.BLOCK", 2)
    parts = audit.distances(samples)
    assert torch.allclose(whole.replica, parts.replica, atol=1e-4) and torch.equal(whole.nearest, parts.nearest)
    assert torch.allclose(whole.blend, parts.blend, atol=1e-4)
    assert (whole.line <= whole.distance + 1e-4).all()


def test_the_line_search_agrees_with_drawn_lines(base, config):
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    training, samples = fits(model, 6, 1), fits(model, 3, 2)
    space = Audit(model, training).spaces[0]
    found, _, _ = space.between(samples)
    z, x = space.known, space.coordinates(samples)
    part = torch.linspace(0, 1, 2001)[:, None]
    drawn = torch.cat([z[i] + part * (z[j] - z[i]) for i in range(6) for j in range(i)])
    assert torch.allclose(found, torch.cdist(x, drawn).amin(1) / model.size**0.5, atol=1e-3)


def test_blends_are_found_among_many_training_weights(base, config, monkeypatch):
    """Of many training weights, only lines from the nearest to a sample are looked at."""
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    training = fits(model, 60, 1)
    blends = torch.stack([training[i] + part * (training[j] - training[i]) for i, j, part in
                          ((3, 17, 0.5), (59, 0, 0.3), (8, 40, 0.6))])  # fmt: skip
    space = Audit(model, training).spaces[0]
    exact = space.between(blends)
    monkeypatch.setattr("wsr.analysis.standardized.MOST_LINED", 20)
    monkeypatch.setattr("wsr.analysis.standardized.NEAR", 6)
    few = space.between(blends)
    assert torch.allclose(few[0], exact[0], atol=1e-3) and (few[0] < 0.01).all()
    assert [set(ends) for ends in few[1].tolist()] == [{3, 17}, {0, 59}, {8, 40}]
    assert (few[2] < 0.1).all()


def test_what_cannot_be_audited_is_said(model):
    with pytest.raises(WsrError, match="three training weights"):
        Audit(model, fits(model, 2, 1))
    made = Audit(model, fits(model, 10, 1))
    with pytest.raises(WsrError, match="calibrate"):
        made.judge(fits(model, 1, 2))
    with pytest.raises(WsrError, match="false-positive"):
        made.calibrate(fits(model, 10, 2), 0.01)
    spoilt = fits(model, 3, 2)
    spoilt[1, 0] = float("nan")  # was called novel
    with pytest.raises(WsrError, match="row 1 hold NaN"):
        made.distances(spoilt)
    with pytest.raises(WsrError, match="there are none"):
        made.distances(spoilt[:0])


def test_the_weight_that_all_fits_began_from_is_nobodys_original(zoo):
    """If all fits of a zoo started from its first instance, a weight near that instance is not called a copy of it."""
    ids = zoo.good("train")["id"].tolist()
    assert audited_ids(zoo) == ids
    zoo.meta["init"] = "first"
    assert audited_ids(zoo) == ids[1:]
    audit, training, _ = audit_of(zoo, 0.2)
    assert training == ids[1:] and len(audit.spaces[0].known) == len(ids) - 1
    assert audit.judge(zoo.weights([ids[3]]))[0].nearest == training.index(ids[3])
