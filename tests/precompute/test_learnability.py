"""How the study of learnability chooses the fit preset `structured`, and what its levers change."""

from dataclasses import replace

import pytest

from precompute.experiment import Context
from precompute.experiments import learnability
from precompute.experiments.learnability import EXPERIMENT, LEVERS, RANKS
from wsr.presets import PAPER_LIKE, preset

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def rows(**levers: tuple[float, float]) -> list[dict]:
    return [{"lever": name.replace("_", "-"), "quality": quality, "FD": fd} for name, (quality, fd) in levers.items()]


@pytest.mark.parametrize("data, scale", [("emoji", 1.0), ("faces", 1.0), ("shapes10", 0.01)])
def test_the_winner_has_the_lowest_distance_of_those_that_lose_little(data, scale):
    tried = rows(paper_like=(33.0, 1.0), near=(32.6, 0.8), nearer=(32.9, 0.9), far=(32.4, 0.2))
    for row in tried:
        row["quality"] *= scale
    assert learnability._chosen(tried, data) == "near"
    assert learnability._chosen(rows(paper_like=(33.0 * scale, 0.1), other=(33.0 * scale, 0.2)), data) == PAPER_LIKE
    assert learnability._chosen(rows(other=(33.0, 0.2)), data) is None


def test_the_first_lever_is_the_paper_s_protocol_and_each_other_changes_something():
    fit = preset("cpu", "image").fit.of("mlora-asym")
    assert next(iter(LEVERS)) == PAPER_LIKE and LEVERS[PAPER_LIKE].of(fit) == fit
    changed = [(LEVERS[name].of(fit), LEVERS[name].encoded, RANKS.get(name)) for name in LEVERS]
    assert len(set(changed)) == len(LEVERS) and set(RANKS) <= set(LEVERS)
    assert LEVERS["rate × ½"].of(fit) == replace(fit, lr=fit.lr / 2)


def test_every_lever_is_a_cell_whose_settings_differ():
    context = Context()
    cells = [cell for cell in context.cells(EXPERIMENT) if cell.data == "shapes10"]
    assert [cell["lever"] for cell in cells] == list(LEVERS)
    settings = [str(EXPERIMENT.settings(cell, context)) for cell in cells]
    assert len(set(settings)) == len(LEVERS)
