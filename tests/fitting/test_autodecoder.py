import torch

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
