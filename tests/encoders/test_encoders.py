"""Encoders of weights: each learns what is easy to see, and keeps the symmetries that it promises to keep."""

import numpy as np
import pandas as pd
import pytest
import torch

from wsr import encoders
from wsr.encoders.settings import TrainingSettings
from wsr.encoders.targets import Target
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.symmetry import act

pytestmark = pytest.mark.once
SHORT = TrainingSettings(epochs=12, batch=8)
READ = [
    (representation, name)
    for representation, others in (("mlp", ("nfn", "graph")), ("mlora", ("product", "graph")))
    for name in ("logistic", "logistic-canonical", "flat-mlp", "transformer", "probing", *others)
]


@pytest.mark.parametrize("representation, name", READ)
def test_each_learns_what_is_easy_to_see(made, representation, name):
    zoo = made(representation)
    encoder = encoders.named(name).fit(zoo, settings=SHORT)
    assert encoder.score(zoo) >= 0.9 and encoder.target.measure == "accuracy"
    weights = zoo.weights()
    assert set(encoder.predict(weights[:4])) == {"small", "large"}
    embedded = encoder.embed(weights)
    assert len(embedded) == len(weights) and encoder.embed(weights[:3]).allclose(embedded[:3], atol=1e-4)
    assert encoder.parameters > 0 and encoder.cpu_seconds > 0


KEPT = [
    *((name, "mlp", "permutation") for name in ("probing", "nfn", "graph")),
    *(("probing", "mlp", kind) for kind in ("sign", "scale")),
    *((name, model, "basis") for name in ("probing", "product") for model in ("lora", "mlora")),
    *(("graph", model, "permutation") for model in ("lora", "mlora")),
    *(("logistic-canonical", model, "scale") for model in ("mlp", "lora", "mlora")),
    ("logistic-canonical", "lora", "basis"),
]


@pytest.mark.parametrize("name, representation, action", KEPT)
def test_symmetries_that_it_respects_change_nothing(made, name, representation, action):
    zoo = made(representation)
    encoder = encoders.named(name).fit(zoo, settings=TrainingSettings(epochs=2, batch=8))
    weights = zoo.weights()
    moved = act(zoo.representation, weights, action, seed=3)
    assert (moved - weights).abs().max() > 0.1
    before, after = encoder.scores(weights), encoder.scores(moved)
    assert before.std() > 1e-3 and torch.allclose(before, after, atol=2e-3 * float(before.abs().max()))
    assert torch.allclose(encoder.embed(weights), encoder.embed(moved), atol=5e-3)


@pytest.mark.parametrize("name", ["flat-mlp", "transformer", "logistic"])
def test_those_that_ignore_symmetries_see_them(made, name):
    zoo = made("mlp")
    encoder = encoders.named(name).fit(zoo, settings=TrainingSettings(epochs=2, batch=8))
    moved = act(zoo.representation, zoo.weights(), "permutation", seed=3)
    assert not torch.allclose(encoder.scores(zoo.weights()), encoder.scores(moved), atol=1e-2)


def test_masked_weights_are_read_with_what_the_mask_freezes(made):
    for representation in ("mlp-asym", "mlora-asym"):
        zoo = made(representation)
        for kind in encoders.kinds():
            if not kind.refusal(zoo.representation):
                encoder = kind.fit(zoo, settings=TrainingSettings(epochs=1))
                assert encoder.scores(zoo.weights()).isfinite().all()


def test_a_number_is_predicted_in_its_own_unit(made):
    zoo = made("mlora")
    for name in ("logistic", "flat-mlp"):
        encoder = encoders.named(name).fit(zoo, "size", SHORT)
        assert encoder.target.measure == "R²" and encoder.score(zoo) > 0.3
        assert 0 < encoder.predict(zoo.weights()).mean() < 2


def test_the_same_seed_gives_the_same_encoder_and_no_draw_is_global(made):
    zoo, state = made("mlp"), torch.get_rng_state()
    fits = [encoders.named("flat-mlp").fit(zoo, settings=TrainingSettings(epochs=2, seed=s)) for s in (0, 0, 1)]
    first, again, other = (fit.scores(zoo.weights()) for fit in fits)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(state, torch.get_rng_state())


def test_training_stops_and_keeps_the_best(made):
    zoo = made("mlora")
    encoder = encoders.named("flat-mlp").fit(zoo, settings=TrainingSettings(epochs=200, patience=3, lr=0.05, batch=8))
    assert encoder.trained_epochs < 200 and encoder.score(zoo) >= 0.9


def test_what_cannot_be_read_is_refused_in_a_sentence(made, config):
    zoo = made("mlora")
    with pytest.raises(WsrError, match="cannot read the zoo mlora. It reads networks whose neurons can be permuted"):
        encoders.named("nfn").fit(zoo)
    mlp = make_representation("mlp", None, config)
    assert "MLP has no such pairs" in encoders.named("product").refusal(mlp)
    assert not encoders.named("graph").refusal(mlp)
    with pytest.raises(WsrError, match="did you mean 'nfn'"):
        encoders.named("nfm")
    with pytest.raises(WsrError, match="did you mean 'size'"):
        encoders.named("logistic").fit(zoo, "sizes")
    with pytest.raises(WsrError, match="nothing to learn about 'of all'"):
        encoders.named("logistic").fit(zoo, "of all")
    encoder = encoders.named("logistic").fit(zoo)
    with pytest.raises(WsrError, match="another representation"):
        encoder.predict(torch.zeros(2, 5))
    broken = zoo.weights()
    broken[3, 0] = torch.nan
    with pytest.raises(WsrError, match="row 3 are not finite"):
        encoder.embed(broken)
    with pytest.raises(WsrError, match="split"):
        encoder.score(zoo, "tests")


def test_scores_are_those_of_categories_and_numbers():
    words = pd.Series(["b", "a", "b"])
    target = Target.of("letter", words)
    assert target.encoded(words).tolist() == [1, 0, 1] and target.outputs == 2
    assert target.score(target.decoded(torch.tensor([[0.0, 1], [0, 1], [0, 1]])), words) == pytest.approx(2 / 3)
    numbers = pd.Series([1.0, 2.0, 6.0])
    target = Target.of("length", numbers)
    assert np.allclose(target.decoded(target.encoded(numbers)[:, None]), numbers)
    assert target.score(np.full(3, 3.0), numbers) == 0 and target.score(numbers.to_numpy(), numbers) == 1
