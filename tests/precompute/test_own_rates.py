"""The search for the best settings of each representation, which is the same for all."""

import math

import pytest

from precompute.experiments.own_rates import A_LADDER, BETAS, SETTINGS, Search, Setting
from wsr.presets import preset

GRID = [Setting(lr, a_rate, (0.7, 0.85)) for lr in (0.01, 0.02) for a_rate in (1 / 3, 1.0, 3.0)]


def ended(search: Search, quality) -> Search:
    while (setting := search.next()) is not None:
        assert setting not in search.known, "no setting is tried twice"
        search.known[setting] = quality(setting)
    return search


def peak(lr: float, a_rate: float, betas: tuple[float, float]):
    """A quality with one best setting, which falls with each step away from it."""

    def quality(setting: Setting) -> float:
        rates = abs(math.log2(setting.lr / lr)) + abs(math.log(setting.a_rate / a_rate, 3))
        return -rates - abs(BETAS.index(setting.betas) - BETAS.index(betas))

    return quality


@pytest.mark.parametrize("best", [
    Setting(0.16, 9.0, (0.45, 0.5)), Setting(0.005, 1 / 9, (0.9, 0.999)), Setting(0.02, 1.0, (0.7, 0.85)),
])  # fmt: skip
def test_a_search_goes_on_until_no_neighbour_is_better(best):
    search = ended(Search(GRID, two_rates=True), peak(best.lr, best.a_rate, best.betas))
    assert search.best == best and len(search.known) < SETTINGS
    assert set(best.neighbours(two_rates=True)) <= search.known.keys()


def test_without_an_a_its_rate_is_not_searched():
    grid = [Setting(lr, 1.0, (0.7, 0.85)) for lr in (0.01, 0.02)]
    search = ended(Search(grid, two_rates=False), peak(0.04, 9.0, (0.8, 0.95)))
    assert search.best == Setting(0.04, 1.0, (0.8, 0.95))
    assert {setting.a_rate for setting in search.known} == {1.0}


def test_a_search_that_always_gains_ends_all_the_same():
    assert len(ended(Search(GRID, two_rates=True), lambda setting: setting.lr).known) == SETTINGS


def test_what_diverges_is_never_the_best():
    search = ended(Search(GRID, two_rates=True), lambda setting: -math.inf if setting.lr > 0.01 else setting.lr)
    assert search.best.lr <= 0.01


@pytest.mark.parametrize("modality", ["image", "occupancy"])
def test_the_presets_settings_are_on_the_ladders(modality):
    fit = preset("cpu", modality).fit
    assert tuple(fit.betas) in BETAS and fit.a_rate in A_LADDER
