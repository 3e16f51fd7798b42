"""Tokens, the transformer, the processes, training and sampling, at small sizes."""

import functools
from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState

from tests.generators.conftest import TINY, classes, fresh, weights
from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators.diffusion import Training, WeightDiffusion, diffusion_preset
from wsr.generators.diffusion.config import PREDICTIONS
from wsr.generators.diffusion.draws import Ahead
from wsr.generators.diffusion.process import make_process
from wsr.generators.diffusion.tokens import LayerTokens, make_tokens
from wsr.run_files import CheckpointPace


def test_every_representation_becomes_tokens_and_back(model):
    tokens = make_tokens(model, TINY)
    x = torch.randn(3, model.size)
    assert tokens.encode(x).shape == (3, tokens.count, 16)
    assert tokens.decode(torch.randn(3, tokens.count, 16)).shape == x.shape
    assert tokens.count == (model.layers if model.rank else 5)
    flat = make_tokens(model, replace(TINY, encoder=False))
    assert flat.count == (2 * model.layers if model.rank else 5) and sum(flat.sizes) == model.size


def test_the_pairs_of_a_layer_are_its_matrices(adapter):
    tokens, x = make_tokens(adapter, TINY), torch.randn(3, adapter.size)
    assert isinstance(tokens, LayerTokens)
    pairs = tokens.pairs(x)  # (n, l, r, 2c)
    named, c = adapter.layout.unflatten(x), adapter.config.channels
    frozen = torch.zeros(adapter.layout.entries[2].numel, dtype=torch.bool)
    frozen[list(adapter.layout.entries[2].frozen)] = True
    a = named["layers.1.A"].masked_fill(frozen.view(adapter.rank, c), 0.0)
    assert torch.equal(pairs[:, 1, :, :c], a) and torch.equal(pairs[:, 1, :, c:], named["layers.1.B"].mT)
    assert torch.equal(tokens.vectors(pairs), x)
    uneven = make_tokens(adapter, replace(TINY, pair_width=adapter.rank * 4 + 1))
    # the width is rounded down to a multiple of the number of heads
    assert uneven.gather.shape[1] == adapter.rank * adapter.rank * 4
    with pytest.raises(WsrError, match="width"):
        make_tokens(adapter, replace(TINY, pair_width=adapter.rank - 1))


def test_an_untrained_network_does_not_mix_samples_and_hears_of_its_class_only_after_training(adapter):
    made = fresh(adapter)
    x, time = torch.randn(4, adapter.size), torch.tensor([0.0, 10.0, 20.0, 49.0])
    alone = torch.cat([made.network(x[i : i + 1], time[i : i + 1], torch.tensor([0])) for i in range(4)])
    together = made.network(x, time, torch.zeros(4, dtype=torch.long))
    assert torch.allclose(alone, together, atol=1e-5)
    assert torch.allclose(together, made.network(x, time, torch.full((4,), 2)), atol=1e-6)


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_a_network_that_knows_leads_from_noise_to_the_weights(predict):
    """If the exact prediction takes the place of the network, sampling ends at the data, whichever quantity the network
    predicts."""
    process = make_process(replace(TINY, predict=predict))
    goal, noise = torch.randn(3, 10), torch.randn(3, 10)

    def knows(x, time):
        if predict == "flow":
            return (x - goal) / (time[:, None] / TINY.timesteps)
        kept = process.forward.alphas_cumprod[time.long()][:, None]
        noisy = (x - kept.sqrt() * goal) / (1 - kept).sqrt()
        mixed = kept.sqrt() * noisy - (1 - kept).sqrt() * goal
        return {"epsilon": noisy, "sample": goal, "v_prediction": mixed}[predict]

    *_, (end, clean) = process.sample_loop(knows, noise, 10)
    assert torch.allclose(end, goal, atol=1e-4) and torch.allclose(clean, goal, atol=1e-4)
    times = process.times(3, torch.Generator().manual_seed(0))
    assert process.loss(lambda x, time: knows(x, time), goal, noise, times).abs().max() < 1e-6


def test_the_last_noise_of_the_cpu_preset_hides_what_weights_have_in_common():
    common = 400.0  # more than the variance of the first principal component of the standardized weights of any zoo
    kept = make_process(diffusion_preset("cpu")).forward.alphas_cumprod
    assert float(kept[-1]) * common < 0.05


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_training_finds_the_two_groups(adapter, predict):
    # as at the `cpu` preset, the final noise is so large that it hides the group of a weight
    config = replace(TINY, predict=predict, steps=300, width=32, batch=20, ema=0.98, beta=(1e-3, 0.4))
    made = fresh(adapter, config)
    records = list(Training(made, weights(adapter), classes()).run(record_every=50, monitor_every=200))
    assert records[-1].done and records[-1].loss < 0.8 * records[0].loss
    # the best guess of a weight is its group's mean, of which there are two; the others carry noise into their samples
    assert records[3].monitor.samples == 32 and records[-1].monitor.distinct > (1 if predict == "sample" else 2)
    if predict == "epsilon":
        return  # this network has to carry the whole noise, and learns the classes much later
    data = weights(adapter)
    for label, rows in (("even", data[0::2]), ("odd", data[1::2])):
        found = made.sample(6, cls=label, steps=20)
        other = data[1::2] if label == "even" else data[0::2]
        assert (torch.cdist(found, rows).amin(1) < torch.cdist(found, other).amin(1)).float().mean() > 0.8


def by_heart(adapter, **changes):
    """A training that can only memorize, because its weights have nothing in common."""
    noise = [torch.randn(20, adapter.size, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    config = replace(TINY, **{"steps": 300, "width": 64, "batch": 20, "ema": 0.9, "eval_every": 20, **changes})
    training = Training(WeightDiffusion.new(adapter, noise[0], config, ["even", "odd"]), noise[0], classes())
    training.validation = noise[1], classes()
    return training


def test_training_ends_before_it_learns_by_heart_and_keeps_the_best_average(adapter):
    whole, early = by_heart(adapter), by_heart(adapter, patience=3)
    for training in (whole, early):
        *_, last = training.run(monitor_every=0)
        losses = [loss for _, loss in training.evaluations]
        assert last.done and last.validation == losses[-1]
        assert training.best.loss == pytest.approx(min(losses), rel=1e-3)
        assert training.best.loss == pytest.approx(training.score(*training.validation), rel=1e-6)
        assert dict(training.evaluations)[training.best.step] == training.best.loss
    assert early.step == early.best.step + 3 * 20 < whole.step == 300
    assert whole.evaluations[-1][1] > 1.1 * whole.best.loss, "what was learnt by heart does not help with others"


def test_a_rate_that_decays_is_followed_to_its_end_whatever_patience_says(adapter):
    training = by_heart(adapter, patience=1, decay_steps=120, warmup=10)
    rates = [record.lr for record in training.run(record_every=10, monitor_every=0)]
    assert training.step == 120 and training.best.step < 120
    assert rates == sorted(rates, reverse=True) and rates[-1] < 1e-3 * rates[0]


def test_batches_drawn_ahead_are_those_of_their_steps(adapter):
    draw = by_heart(adapter)._draw
    ahead = Ahead(draw)
    for step in (0, 1, 2, 7, 3, 4):  # a resumed run jumps
        for one, other in zip(ahead(step), draw(step), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_a_run_with_a_validation_part_resumes_with_its_best(adapter, tmp_path):
    path, whole = tmp_path / "run.safetensors", by_heart(adapter, patience=3, eval_every=10)
    list(whole.run(record_every=10, monitor_every=0))
    first = by_heart(adapter, patience=3, eval_every=10)
    for record in first.run(record_every=10, monitor_every=0, checkpoint=path, pace=CheckpointPace.at(0.0)):
        if record.step == whole.best.step + 10:
            break
    again = by_heart(adapter, patience=3, eval_every=10)
    list(again.run(record_every=10, monitor_every=0, checkpoint=path))
    assert again.step == whole.step and again.best.step == whole.best.step
    assert [loss for _, loss in again.evaluations] == pytest.approx([loss for _, loss in whole.evaluations], rel=1e-5)
    for a, b in zip(whole.model.network.parameters(), again.model.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 7, 20, 45, 50])
def test_a_walk_ends_at_the_noise_that_is_asked_for(steps):
    process = make_process(TINY)
    for end in (0.0, 0.3):
        times = process._times(steps, end)
        assert len(times) == len(set(times)) == steps and times[0] == 49 and min(times) >= 0
        noise = float((1 - process.forward.alphas_cumprod[times[-1]]).sqrt())
        if steps == 20:
            assert noise == pytest.approx(max(end, 0.05), abs=0.1)


def test_ddim_is_exact_at_any_number_of_steps():
    """For a single training weight the best prediction is that weight, and every step keeps its noise direction."""
    process, goal, noise = make_process(TINY), torch.randn(3, 10), torch.randn(3, 10)
    begun = process.forward.add_noise(goal, noise, torch.tensor([49]))
    for steps in (3, 7, 13):
        times = process._times(steps, 0.0)
        loop = process.sample_loop(lambda x, time: goal, begun, steps)
        for (x, clean), after in zip(loop, [*times[1:], None], strict=True):
            kept = torch.tensor(1.0) if after is None else process.forward.alphas_cumprod[after]
            assert torch.allclose(x, kept.sqrt() * goal + (1 - kept).sqrt() * noise, atol=1e-4)
            assert torch.equal(clean, goal)


@pytest.mark.parametrize("predict", ["epsilon", "flow"])
def test_two_steps_of_every_representation(model, predict):
    made = fresh(model, replace(TINY, predict=predict, steps=2))
    (record,) = Training(made, weights(model), classes()).run()
    assert record.step == 2 and record.loss > 0
    assert made.sample(2, steps=2).shape == (2, model.size)


def test_the_paper_preset_is_built_and_trained_for_two_steps(base, config):
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    paper = diffusion_preset("paper")
    assert (paper.width, paper.depth, paper.heads, paper.batch) == (2880, 12, 16, 256)
    assert (paper.lr, paper.epochs, paper.timesteps, paper.beta) == (2e-4, 6000, 500, (1e-4, 2e-2))
    assert paper.predict == "epsilon" and paper.steps_for(4500) == 6000 * 17
    assert diffusion_preset("paper", "mlp").predict == "sample"
    made = fresh(model, replace(paper, depth=1, width=64, batch=8, epochs=1))
    assert list(Training(made, weights(model), classes()).run())[-1].step == 2


def test_products_in_bfloat16_learn_the_same(adapter):
    losses = []
    for dtype in (torch.float32, torch.bfloat16):
        training = Training(fresh(adapter, replace(TINY, steps=40)), weights(adapter), classes())
        training.dtype = dtype
        losses.append([record.loss for record in training.run(record_every=10, monitor_every=0)])
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_samples_are_drawn_each_from_its_own_seed_and_steps_are_told(adapter):
    made = fresh(adapter)
    many, few = made.sample(4, steps=5, seed=3), made.sample(2, steps=5, seed=3)
    assert torch.allclose(many[:2], few, atol=1e-5) and not torch.allclose(many[2], many[0])
    seen = [(r.step, r.steps, r.weights.shape) for r in made.sample_stream(2, steps=3)]
    assert seen == [(i, 3, (2, adapter.size)) for i in (1, 2, 3)]


def test_classes_are_drawn_as_often_as_they_were_there_and_each_sample_may_have_its_own(adapter):
    made = fresh(adapter)
    Training(made, weights(adapter), ["even"] * 15 + ["odd"] * 5)
    drawn = made.draw_classes(400, seed=2)
    assert drawn[100:110] == made.draw_classes(10, seed=2, first=100)
    assert drawn.count("odd") == pytest.approx(100, abs=25)
    made.network.label.weight.data.normal_()
    # so that the output depends on the class; an untrained output layer is zero
    torch.nn.init.normal_(made.network.last.linear.weight)
    whole = made.sample(4, classes=drawn[:4], steps=3, seed=2)
    assert torch.equal(whole, made.sample(4, steps=3, seed=2))
    for i, cls in enumerate(drawn[:4]):
        assert torch.allclose(whole[i], made.sample(4, cls=cls, steps=3, seed=2)[i], atol=1e-5)


def test_guidance_is_the_configs_and_of_one_class_there_is_nothing_to_exaggerate(adapter):
    made = fresh(adapter, replace(TINY, guidance=2.0))
    made.network.label.weight.data.normal_()
    torch.nn.init.normal_(made.network.last.linear.weight)
    options = {"cls": "odd", "steps": 3, "seed": 2}
    assert torch.equal(made.sample(2, **options), made.sample(2, guidance=2.0, **options))
    assert not torch.allclose(made.sample(2, **options), made.sample(2, guidance=1.0, **options))
    x, time = torch.randn(3, adapter.size), torch.full((3,), 20.0)
    labels, nothing = torch.tensor([0, 1, 0]), torch.full((3,), 2)
    own, without = made.network(x, time, labels), made.network(x, time, nothing)
    assert torch.allclose(made._guided(labels, 3.0)(x, time), without + 3 * (own - without), atol=1e-4)
    alone = WeightDiffusion.new(adapter, weights(adapter), replace(TINY, guidance=2.0), ["odd"])
    alone.network.label.weight.data.normal_()
    assert torch.equal(alone.sample(2, **options), alone.sample(2, guidance=1.0, **options))


def test_frozen_entries_are_none_of_the_models_business(adapter):
    made = fresh(adapter)
    full = adapter.layout.fill(made.sample(2, steps=3))
    held = torch.ones(adapter.layout.total, dtype=torch.bool)
    held[adapter.layout.trained] = False
    assert torch.equal(full[:, held], adapter.layout.template[held].expand(2, -1))


def test_wrong_requests_are_explained(adapter):
    made = fresh(adapter)
    for options, words in (
        ({"count": 0}, "at least 1"),
        ({"count": 1, "cls": "chair"}, "class"),
        ({"count": 1, "steps": 99}, "between 1 and 50"),
        ({"count": 1, "final_noise": 1.0}, "noise from 0"),
    ):
        with pytest.raises(WsrError, match=words):
            made.sample(**options)
    with pytest.raises(WsrError, match="two weights"):
        Training(made, weights(adapter), classes()[:3])


def _losses(make, folder):
    """Trains in one of two processes, and returns the losses."""
    torch.set_num_threads(1)
    AcceleratorState._reset_state(reset_partial_state=True)  # of the process that was forked, which trains alone
    made, data, labels = make()
    training = Training(made, data, labels)
    assert training.accelerator.num_processes == 2
    found = [record.loss for record in training.run(record_every=1, monitor_every=0)]
    if training.accelerator.is_main_process:
        torch.save(torch.tensor(found), folder / "losses.pt")


def _made(model):
    return fresh(model), weights(model), classes()


def test_two_processes_have_the_loss_of_one(adapter, tmp_path):
    from accelerate import debug_launcher

    debug_launcher(_losses, (functools.partial(_made, adapter), tmp_path), num_processes=2)
    together = torch.load(tmp_path / "losses.pt")
    alone = [r.loss for r in Training(*_made(adapter)).run(record_every=1, monitor_every=0)]
    assert together.tolist() == pytest.approx(alone, rel=1e-4)
