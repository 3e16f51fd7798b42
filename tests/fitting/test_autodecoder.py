import pytest
import torch
from accelerate import PartialState

from wsr.errors import WsrError
from wsr.fields.checkpoint import load_base, load_latents
from wsr.fitting.autodecoder import BaseTraining
from wsr.modalities.image_targets import ImageTargets
from wsr.presets import BaseTrainingConfig, FieldConfig, Stage
from wsr.run_files import CheckpointPace

CONFIG = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2)
SCHEDULE = BaseTrainingConfig((Stage(12, 4, 32, 2e-3), Stage(8, 2, 64, 1e-3)), ema=0.5)


def targets():
    return ImageTargets(
        torch.randint(0, 256, (4, 8, 8, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    )


def trained(steps=None, checkpoint=None):
    training = BaseTraining(targets(), CONFIG, SCHEDULE)
    for record in training.run(record_every=1, checkpoint=checkpoint, pace=CheckpointPace.at(0.0)):
        if record.step == steps:
            break
    return training


def test_it_learns_and_its_mean_style_is_that_of_the_training_set():
    training = BaseTraining(targets(), CONFIG, SCHEDULE)
    losses = [record.loss for record in training.run(record_every=5)]
    assert losses[-1] < losses[0]
    base, latents = training.finish()
    assert torch.allclose(base.mean_style, base.styles(latents).mean(0), atol=1e-6)


def test_a_killed_run_goes_on_where_it_stopped(tmp_path):
    straight, _ = trained().finish()
    path = tmp_path / "run.pt"
    trained(steps=11, checkpoint=path)
    resumed, _ = trained(checkpoint=path).finish()
    for a, b in zip(straight.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_base_is_trained_from_a_folder_of_images(tmp_path, monkeypatch):
    from PIL import Image

    from wsr import presets
    from wsr.data import load_signals
    from wsr.fitting.bases import train_base

    for i in range(6):
        Image.new("RGB", (20, 20), (40 * i, 0, 100)).save(tmp_path / f"{i}.png")
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(
        presets._PRESETS, ("cpu", "image"), presets.PresetConfig(16, CONFIG, presets.FitConfig(2, 16, 2), SCHEDULE)
    )
    *_, last = train_base(load_signals(f"images:{tmp_path}"), tmp_path / "base.safetensors")
    assert last.done and load_base(tmp_path / "base.safetensors").config == CONFIG
    assert len(load_latents(tmp_path / "base.safetensors")[1]) >= 1


def _trained_together(folder):
    """Trains in one of two processes."""
    torch.set_num_threads(1)
    PartialState._reset_state()  # of the process that was forked, which trains alone
    training = BaseTraining(targets(), CONFIG, SCHEDULE)
    assert training.processes.num_processes == 2
    rank = torch.distributed.get_rank()
    losses = [record.loss for record in training.run(record_every=1, checkpoint=folder / f"{rank}.pt")]
    base, latents = training.finish()
    torch.save({"losses": losses, "latents": latents, **base.state_dict()}, folder / f"found-{rank}.pt")


def test_two_processes_train_the_base_that_one_trains(tmp_path, monkeypatch):
    from accelerate import debug_launcher

    monkeypatch.setattr("wsr.fitting.autodecoder.compute_dtype", lambda device: torch.float32)  # bf16 rounds to 1 %
    debug_launcher(_trained_together, (tmp_path,), num_processes=2)
    alone = BaseTraining(targets(), CONFIG, SCHEDULE)
    losses = [record.loss for record in alone.run(record_every=1)]
    base, latents = alone.finish()
    both = [torch.load(tmp_path / f"found-{rank}.pt") for rank in "01"]
    for found in both:
        assert found.pop("losses") == pytest.approx(losses, rel=1e-4)
        assert torch.allclose(found.pop("latents"), latents, atol=1e-3)
        assert all(torch.allclose(value, base.state_dict()[name], atol=1e-3) for name, value in found.items())
    assert all(torch.equal(both[0][name], both[1][name]) for name in both[0]), "they train one base"
    assert (tmp_path / "0.pt").exists() and not (tmp_path / "1.pt").exists(), "one of them writes"


def test_more_processes_than_a_batch_has_instances_are_refused(monkeypatch):
    monkeypatch.setattr(PartialState(), "num_processes", 3)
    with pytest.raises(WsrError, match="A batch of 2 instances cannot be shared by 3 processes"):
        BaseTraining(targets(), CONFIG, SCHEDULE)
