"""The settings of a fit: as keywords, as one object, and as the loop receives them."""

import numpy as np
import pytest

import wsr
from wsr import presets
from wsr.errors import WsrError
from wsr.fitting.settings import FitOptions, FitSettings, Start, StreamOptions

PICTURE = np.full((1, 8, 8, 3), 0.5, np.float32)


def test_keywords_become_one_object():
    asked = FitSettings.of({"steps": 3, "sigma": 0.1, "perturb": 0.5, "every": 0})
    assert asked == FitSettings(steps=3, every=0, start=Start(sigma=0.1, perturb=0.5))
    assert FitSettings.of({}) == FitSettings()
    assert set(StreamOptions.__annotations__) - set(FitOptions.__annotations__) == {"every"}


@pytest.mark.parametrize("call", [wsr.fit, wsr.fit_stream])
def test_an_unknown_keyword_names_the_nearest(call):
    with pytest.raises(TypeError, match="no setting 'stpes': did you mean 'steps'") as error:
        call(PICTURE, "mlp", stpes=3)
    assert not isinstance(error.value, WsrError)


def test_only_a_stream_has_records_on_the_way():
    with pytest.raises(TypeError, match="no setting 'every'"):
        wsr.fit(PICTURE, "mlp", steps=1, every=1)
    assert [record.step for record in wsr.fit_stream(PICTURE, "mlp", steps=3, points=8, every=1)] == [1, 2, 3]


def test_given_settings_replace_those_of_the_preset():
    own = FitSettings().config("mlora-asym", "image")
    assert (own.lr, own.a_rate, own.points) == (4e-2, 3.0, 512)
    changed = FitSettings(lr=1e-3, points=9, steps=7, a_rate=2.0).config("mlora-asym", "image", steps=99)
    assert (changed.lr, changed.a_rate, changed.points, changed.steps) == (1e-3, 2.0, 9, 7)
    shapes = FitSettings().config("mlp", "occupancy", steps=99)
    assert shapes.steps == 99 and shapes.lr == 1.5e-2
    for steps in (0, 10**7):
        with pytest.raises(WsrError, match="steps must be a whole number"):
            FitSettings(steps=steps).config("mlp", "image")
    with pytest.raises(WsrError, match="Unknown preset"):
        FitSettings(preset="gpu").config("mlp", "image")


def test_the_start_is_the_representations_own(base, config):
    from wsr.fields.representation import make_representation

    model = make_representation("mlora", base, config)
    start = Start(init="spread", sigma=0.3, init_seed=5, perturb=0.5)
    assert (start.of(model) == model.initial("spread", 0.3, 5, 0.5)).all()


def test_a_fit_preset_overrides_the_preset_and_given_settings_override_both(monkeypatch):
    tried = presets.Protocol(lr=0.5, steps=2.0, pull=0.25, average=0.5)
    monkeypatch.setitem(presets.PROTOCOLS, "structured", {"image": tried})
    plain, own = (FitSettings(protocol=name).config("mlora-asym", "image") for name in presets.PROTOCOLS)
    assert plain == FitSettings().config("mlora-asym", "image")
    assert own == presets.replace(plain, lr=plain.lr / 2, steps=plain.steps * 2, pull=0.25, average=0.5)
    given = FitSettings(protocol="structured", steps=7, lr=1e-3, pull=0.0).config("mlora-asym", "image")
    assert (given.steps, given.lr, given.pull, given.average) == (7, 1e-3, 0.0, 0.5)
    assert FitSettings(protocol="structured").config("mlora-asym", "image", steps=1500).steps == 3000


def test_a_fit_preset_that_is_not_there_is_explained(monkeypatch):
    with pytest.raises(WsrError, match="did you mean 'structured'"):
        FitSettings(protocol="structred").config("mlp", "image")
    monkeypatch.setitem(presets.PROTOCOLS, "structured", {})
    with pytest.raises(WsrError, match="no fit preset 'structured' for shapes yet"):
        FitSettings(protocol="structured").config("mlp", "occupancy")


def test_the_command_line_offers_every_fit_preset():
    from typing import get_args, get_type_hints

    from wsr.commands.levers import LeverOptions

    assert get_args(get_type_hints(LeverOptions)["protocol"]) == tuple(presets.PROTOCOLS)
    assert LeverOptions(pull=0.5, shared_points=True).levers() == {
        "protocol": "paper-like", "lr": None, "shared_points": True, "pull": 0.5, "average": None,
    }  # fmt: skip


@pytest.mark.parametrize("modality", ["image", "occupancy"])
def test_the_papers_base_ends_with_few_instances_of_many_points(modality):
    """Section 8.3: from a batch of 256 with 2,048 points to one of 16 with 32,768, 350,000 steps in five stages."""
    stages = presets.preset("paper", modality).base.stages
    assert [(stages[at].instances, stages[at].points) for at in (0, -1)] == [(256, 2048), (16, 32768)]
    assert len(stages) == 5 and sum(stage.steps for stage in stages) == 350_000 and stages[0].lr == 1e-3
