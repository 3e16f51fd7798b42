"""Files of generators: split above a size, quantized to a few bits, and left behind by a killed training."""

from dataclasses import replace

import pytest
import torch

from tests.generators.conftest import TINY, classes, fresh, weights
from wsr.errors import WsrError
from wsr.generators.base import SaveSettings
from wsr.generators.diffusion import Training, load_diffusion
from wsr.run_files import CheckpointPace


def test_a_model_is_saved_in_small_files_and_loaded(adapter, tmp_path, monkeypatch):
    made = fresh(adapter)
    monkeypatch.setattr("wsr.generators.files.MAX_FILE_BYTES", 130_000)
    made.save(tmp_path / "m.safetensors", SaveSettings(bits=32))
    files = list(tmp_path.glob("*.safetensors"))
    assert len(files) > 1 and all(file.stat().st_size < 140_000 for file in files)
    loaded = load_diffusion(tmp_path / "m.safetensors", adapter)
    assert torch.allclose(loaded.sample(2, steps=3), made.sample(2, steps=3), atol=1e-6)
    assert loaded.config == made.config and loaded.classes == made.classes
    with pytest.raises(WsrError, match="not a diffusion model"):
        load_diffusion(tmp_path / "m-1.safetensors", adapter)


def test_a_model_of_few_bits_is_smaller_and_nearly_the_same(adapter, tmp_path):
    made = fresh(adapter)
    for parameter in made.network.parameters():  # the output layer of an untrained network is zero
        torch.nn.init.normal_(parameter, std=0.1)
    made.about = {"zoo": {}}
    sizes = {}
    for bits in (16, 8, 6):
        path = tmp_path / f"{bits}.safetensors"
        made.save(path, SaveSettings(bits=bits))
        sizes[bits] = path.stat().st_size
        state = load_diffusion(path, adapter).network.state_dict()
        for name, tensor in made.network.state_dict().items():
            largest = tensor.abs().amax(-1, keepdim=True) if tensor.ndim > 1 else tensor.abs().max()
            # with few bits, the largest numbers may be clipped
            allowed = largest * (0.3 if bits < 8 else 0.11) if tensor.ndim > 1 else largest / 1000
            assert ((state[name] - tensor).abs() <= allowed + 1e-6).all()
            if tensor.ndim > 1:
                least = max(4.0**-bits * 20, 1e-6)  # float16 keeps eleven binary digits
                assert (state[name] - tensor).square().mean() < tensor.square().mean() * least
    assert sizes[6] < sizes[8] < 0.8 * sizes[16]  # half of the file of so small a model consists of names


def test_a_killed_run_goes_on_to_the_same_loss_curve(adapter, tmp_path):
    whole = Training(fresh(adapter), weights(adapter), classes())
    curve = [r.loss for r in whole.run(record_every=1, monitor_every=0)]
    path = tmp_path / "run.safetensors"
    first = Training(fresh(adapter), weights(adapter), classes())
    for record in first.run(record_every=1, monitor_every=0, checkpoint=path, pace=CheckpointPace.at(0.0)):
        if record.step == 5:
            break
    again = Training(fresh(adapter, seed=9), weights(adapter), classes())
    rest = [r.loss for r in again.run(record_every=1, monitor_every=0, checkpoint=path)]
    assert curve[5:] == pytest.approx(rest, rel=1e-5) and again.losses == pytest.approx(curve, rel=1e-5)
    for a, b in zip(whole.model.network.parameters(), again.model.network.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)
    others = (
        Training(fresh(adapter), weights(adapter), classes(), seed=1),
        Training(fresh(adapter), weights(adapter) + 1, classes()),
        Training(fresh(adapter), weights(adapter), classes()[::-1]),
        Training(fresh(adapter, replace(TINY, lr=1.0)), weights(adapter), classes()),
    )
    for other in others:
        with pytest.raises(WsrError, match="not a checkpoint of this run"):
            list(other.run(checkpoint=path))


def test_who_leaves_between_two_records_goes_on_there(adapter, tmp_path):
    path, training = tmp_path / "run.safetensors", Training(fresh(adapter), weights(adapter), classes())
    for record in training.run(record_every=1, monitor_every=2, checkpoint=path, pace=CheckpointPace.at(1e9)):
        if record.step == 5:
            break
    again = Training(fresh(adapter), weights(adapter), classes())
    list(again.run(record_every=1, monitor_every=2, checkpoint=path))
    whole = Training(fresh(adapter), weights(adapter), classes())
    list(whole.run(record_every=1, monitor_every=2))
    assert again.losses == pytest.approx(whole.losses, rel=1e-5)
    assert [row["step"] for row in again.model.about["monitors"]] == [2, 4, 6, 8, 10, 12]


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_step(adapter, tmp_path):
    training = Training(fresh(adapter), weights(adapter), classes())
    path = tmp_path / "run.safetensors"
    run = training.run(record_every=2, monitor_every=0, checkpoint=path, pace=CheckpointPace.at(0.0))
    next(run), next(run)
    with torch.no_grad():
        next(training.model.network.parameters()).fill_(float("nan"))
    with pytest.raises(WsrError, match=r"step 5 of 12.*learning rate of 0\.003.*of step 4"):
        next(run)
    early = Training(fresh(adapter), weights(adapter) * float("inf"), classes())
    with pytest.raises(WsrError, match="step 1 of 12.*no checkpoint was kept"):
        next(early.run(record_every=2, monitor_every=0, checkpoint=tmp_path / "none.safetensors"))
