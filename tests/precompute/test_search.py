"""The search for a diffusion network: all have the same number of trials, which change one axis by one step."""

import json
import math
from dataclasses import replace

import pytest

from precompute.experiment import Cell, Context
from precompute.experiments import diffusion_search as search
from precompute.experiments import unconditional_search
from precompute.experiments.diffusion_search import Budget, Trial, next_trial
from precompute.generators import best_trials, search_report, with_trial
from tests.generators.conftest import TINY, zoo_of
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import diffusion_preset

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
START = Trial.of(diffusion_preset("cpu"))


def searched(loss, tokens: bool, decays=(None,)) -> dict[Trial, float]:
    known: dict[Trial, float] = {}
    budget, axes = Budget(search.TRIALS, 0, decays), ("decay_steps", "width", "depth", *["token_size"] * tokens)
    while (trial := next_trial(known, START, axes, budget)) is not None:
        assert trial not in known
        known[trial] = loss(trial)
    return known


@pytest.mark.parametrize("tokens", [True, False])
def test_the_best_is_found_within_the_budget(tokens):
    def loss(trial):
        away = abs(math.log2(trial.lr / 5e-4)) + abs(search.DEPTHS.index(trial.depth) - 1)
        return away + abs(search.WIDTHS.index(trial.width) - 3) + (tokens and trial.token_size != 1280)

    known = searched(loss, tokens)
    best = min(known, key=known.get)
    assert (best.lr, best.width, best.depth, best.token_size) == (5e-4, 448, 2, 1280 if tokens else None)
    assert len(known) <= search.TRIALS and known[best] == 0


def test_a_decay_of_the_rate_is_searched_where_the_budget_has_lengths_of_it():
    def loss(trial):
        return abs(math.log2(trial.lr / 2e-3)) - (trial.decay_steps or 0)

    known = searched(loss, False, (None, 3000, 10_000))
    assert min(known, key=known.get) == replace(START, lr=2e-3, decay_steps=10_000)
    assert not any(trial.decay_steps for trial in searched(loss, False))


def test_the_layer_encoder_is_left_out_where_that_is_searched():
    known: dict[Trial, float] = {}
    while (trial := next_trial(known, START, ("encoder", "width"), Budget(9, 0))) is not None:
        known[trial] = trial.encoder + abs(trial.width - 320) / 1000
    assert min(known, key=known.get) == replace(START, lr=min(known, key=known.get).lr, encoder=False)
    assert all(trial.encoder for trial in searched(lambda trial: trial.encoder, True))


def test_everybody_gets_the_same_number_of_trials_and_starts_with_the_rates():
    known = searched(lambda trial: -trial.lr * trial.width * trial.depth, False)  # a score that improves without end
    assert len(known) == len(searched(lambda trial: -trial.lr, True)) == search.TRIALS
    assert list(known)[: len(search.RATES)] == [replace(START, lr=lr) for lr in search.RATES]


def test_where_nothing_but_rates_is_searched_the_rates_around_the_best_are_tried():
    known: dict[Trial, float] = {}
    while (trial := next_trial(known, START, (), Budget(4, 0))) is not None:
        known[trial] = abs(math.log2(trial.lr / 2e-3))
    assert set(known) == {replace(START, lr=rate) for rate in (1e-3, 2e-3, 4e-3)}


def test_a_search_ends_early_if_all_neighbours_are_worse():
    known = searched(lambda trial: 0.0 if trial == replace(START, lr=1e-3) else 1.0, True)
    assert len(known) == 2 + 1 + 2 + 1 + 1  # two rates and the next lower one, two widths, one depth, one token size
    assert {trial.depth for trial in known} == {1, 2} and {trial.token_size for trial in known} == {None, 1280}


def test_a_trial_that_diverges_is_the_worst_and_the_search_goes_on(base, config, tmp_path):
    zoo = zoo_of(make_representation("mlora-asym", base, config), tmp_path / "zoo", ["train"] * 8 + ["validation"] * 4)
    patient = replace(TINY, patience=2, eval_every=5)
    good, bad = (search.tried(zoo, replace(patient, lr=lr), Budget(1, 60)) for lr in (1e-3, 1e30))
    assert good["validation loss"] < search.DIVERGED == bad["validation loss"]
    assert "diverged" not in good and "at a learning rate of 1e+30" in bad["diverged"]


def test_the_best_trial_is_of_one_generator_where_a_search_has_two_of_a_representation(tmp_path):
    path = tmp_path / "search.json"
    losses = ((True, 1e-3, 0.7), (True, 2e-3, 0.6), (False, 1e-3, 0.5), (False, 2e-3, 0.4))
    heads = ("encoder", "lr", "validation loss")
    rows = [{"representation": "mlora-asym", **dict(zip(heads, row, strict=True))} for row in losses]
    path.write_text(json.dumps({"rows": rows}))
    found = [best_trials(path, encoder)["mlora-asym"]["validation loss"] for encoder in (True, False, None)]
    assert found == [0.6, 0.4, 0.4]


def test_generators_without_classes_are_searched_with_one_budget_and_nothing_that_helps_samplers():
    context = Context()
    kinds = unconditional_search.kinds(("shapes10", "faces"))
    assert {"data": "faces", "representation": "mlora-asym", "encoder": False} not in kinds and len(kinds) == 4 + 3
    for kind in kinds:
        cell = Cell("unconditional_search", kind, "")
        config = unconditional_search.plain(cell, context)
        assert not config.conditional and (config.guidance, config.final_noise, config.clusters) == (1.0, 0.0, 0)
        assert config.beta == (1e-4, 2e-2) and config.encoder == kind["encoder"]
        assert ("token_size" in search.axes_of(cell)) == (kind["representation"] == "mlp")


def test_settings_found_by_the_search_are_used_older_rows_state_only_a_rate():
    config = diffusion_preset("cpu")
    assert with_trial(config, {"lr": 1e-3, "step seconds": 0.1}) == replace(config, lr=1e-3)
    found = replace(START, width=448, token_size=640)
    assert Trial.of(with_trial(config, vars(found))) == found
    assert search_report("faces", Context()) == "reports/diffusion-search-faces.json"
    assert search_report("emoji/people", Context()) == "reports/diffusion-search.json"
