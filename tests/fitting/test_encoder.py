"""An encoder of starts: trained through a base, saved, and used by fits and zoos. Small, but real."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

import wsr
from tests.conftest import tiny_config
from wsr import presets, representations
from wsr.cli import main
from wsr.commands import MISTAKE, OK
from wsr.data import load_signals
from wsr.data.images import stable_split
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.registry import named
from wsr.fields.representation import make_representation
from wsr.fitting.bases import train_base, training_targets
from wsr.fitting.encoder import EncoderConfig, StartEncoder
from wsr.fitting.encoder_files import encoder_for, load_encoder, save_encoder
from wsr.fitting.encoder_training import EncoderTraining
from wsr.fitting.encoders import train_encoder
from wsr.fitting.problem import as_signals
from wsr.fitting.settings import FitSettings
from wsr.modalities.image_targets import ImageTargets
from wsr.modalities.occupancy_targets import ShapeTargets
from wsr.presets import BaseTrainingConfig, FitConfig, PresetConfig, Stage
from wsr.zoo import Zoo, build_zoo

SCHEDULE = BaseTrainingConfig((Stage(150, 16, 64, 5e-3),), ema=0.9)
FIT = FitConfig(60, 64, 4, lr=2e-2, betas=(0.7, 0.85), a_rate=2.0)
STEPS = 200


def picture(seed: int) -> np.ndarray:
    """A blob of a colour, somewhere on another colour: what a base can learn from a few of them."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:16, 0:16] / 7.5 - 1
    a, b = draw.uniform(0, 1, (2, 3))
    inside = np.exp(-((x - draw.uniform(-0.5, 0.5)) ** 2 + (y - draw.uniform(-0.5, 0.5)) ** 2) * 4)[..., None]
    return (a * inside + b * (1 - inside)).astype(np.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder of pictures, a base that has learnt from them, and its encoder. Returns the folder."""
    folder = tmp_path_factory.mktemp("encoder")
    (folder / "pictures").mkdir()
    for i in range(60):
        Image.fromarray(np.uint8(picture(i) * 255)).resize((128, 128)).save(folder / "pictures" / f"{i}.png")
    with pytest.MonkeyPatch.context() as patch:
        setting(patch, folder)
        for _ in train_base(load_signals(f"images:{folder / 'pictures'}"), folder / "base.safetensors"):
            pass
        for _ in train_encoder(folder / "base.safetensors", steps=STEPS):
            pass
    return folder


def setting(patch, folder) -> None:
    patch.setenv("WSR_CACHE", str(folder / "cache"))
    patch.setenv("WSR_ASSETS", str(folder / "assets"))
    patch.setitem(presets._PRESETS, ("cpu", "image"), PresetConfig(128, tiny_config(2), FIT, SCHEDULE))
    small = partial(EncoderConfig, features=32, instances=8, points=64, warmup=10)
    patch.setattr("wsr.fitting.encoders.EncoderConfig", small)


@pytest.fixture
def folder(trained, monkeypatch):
    setting(monkeypatch, trained)
    return trained


@pytest.fixture
def heldout(folder):
    return load_signals(f"images:{folder / 'pictures'}").where(split="heldout")


def encoder_file(folder):
    return folder / "assets/encoders/base-mlora-asym.safetensors"


def fitted(signals, folder, start, **settings):
    return wsr.fit(signals, base=folder / "base.safetensors", start=start, **settings)


def test_held_out_targets_start_better_than_plainly(folder, heldout):
    """They are fitted in a tenth of the steps, as well as plainly in as few."""
    assert len(heldout) >= 3 and all(stable_split(name) == "heldout" for name in heldout.ids)
    plain, encoded = (
        next(wsr.fit_stream(heldout, base=folder / "base.safetensors", start=start, steps=1000))
        for start in ("plain", "encoded")
    )
    assert encoded.quality.mean() > plain.quality.mean() + 1.5 and (encoded.loss <= plain.loss).all()
    assert (encoded.loss < plain.loss).mean() > 0.5  # the others count as unknown to the encoder, and start plainly
    few = fitted(heldout, folder, "encoded", lr=FIT.of("mlora-asym").lr)  # the same, for a comparison of starts alone
    assert few.config.steps == 30 and few.quality.mean() > fitted(heldout, folder, "plain", steps=30).quality.mean()


def test_what_the_encoder_does_not_know_starts_plainly(folder, heldout):
    noise = np.random.default_rng(0).uniform(0, 1, (1, 128, 128, 3)).astype(np.float32)
    plain, encoded = fitted(noise, folder, "plain"), fitted(noise, folder, "encoded")
    assert torch.equal(plain.weights, encoded.weights) and encoded.config.steps == FIT.steps
    both = [heldout[0], *as_signals(noise)]
    *_, last = wsr.fit_stream(both, base=folder / "base.safetensors", start="encoded", every=0)
    # a batch with a known and an unknown instance
    assert last.steps == FIT.steps and not torch.equal(last.weights[0], plain.weights[0])


def test_auto_starts_encoded_where_it_can_and_says_why_where_it_cannot(folder, heldout):
    encoded, auto = (fitted(heldout, folder, start, steps=2) for start in ("encoded", "auto"))
    assert torch.equal(auto.weights, encoded.weights) and auto.started == encoded.started and "encoded" in auto.started
    noise = np.random.default_rng(0).uniform(0, 1, (1, 128, 128, 3)).astype(np.float32)
    unknown = fitted(noise, folder, "auto", steps=2)
    assert unknown.started == ["plain"] and unknown.why_plain == "the encoder does not know it"
    for asked, why in (
        ({"representation": "mlora"}, "no encoder has been trained for this representation on this base"),
        ({"rank": 1}, "the encoder was trained for another base, rank or mask"),
        ({"init": "normal"}, "the encoder predicts offsets from the centered start only"),
        ({"representation": "mlp"}, ""),
    ):
        plain, auto = (fitted(heldout[:1], folder, start, steps=2, **asked) for start in ("plain", "auto"))
        assert torch.equal(plain.weights, auto.weights) and auto.started == ["plain"] and auto.why_plain == why
        assert plain.why_plain == ""


def test_an_encoder_that_cannot_be_read_leaves_auto_plain(folder, heldout):
    before = encoder_file(folder).read_bytes()
    try:
        encoder_file(folder).write_bytes(before[:1000])
        assert fitted(heldout[:1], folder, "auto", steps=2).why_plain == "the encoder's file cannot be read"
        with pytest.raises(WsrError):
            fitted(heldout[:1], folder, "encoded", steps=2)
    finally:
        encoder_file(folder).write_bytes(before)


def test_an_untrained_encoder_is_the_plain_start(base):
    model = make_representation("mlora-asym", base, base.config)
    encoder = StartEncoder(model, EncoderConfig(features=8))
    assert torch.equal(encoder(torch.rand(2, 3, 64, 64)), torch.zeros(2, model.size))


def test_every_adapter_and_every_modality_has_an_encoder():
    field = BaseField(tiny_config(3), seed=1).requires_grad_(False)
    draw = torch.Generator().manual_seed(0)
    places = torch.rand(6, 2, 300, 3, generator=draw).half() * 2 - 1
    targets = ShapeTargets(places, (places.norm(dim=-1) < torch.rand(6, 1, 1, generator=draw) + 0.2))
    for name in ("mlora-asym", "lora"):
        model = make_representation(name, field, field.config, 2)
        config = EncoderConfig(features=16, steps=30, instances=6, points=100, warmup=5, ema=0.5)
        training = EncoderTraining(targets, model, config)
        first, *_, last = training.run(record_every=5)
        assert last.loss < first.loss and 0 < training.finish(targets).known <= 1


@pytest.mark.parametrize("modality", ["image", "occupancy"])
def test_the_file_of_every_adapter_s_encoder_stays_below_ten_megabytes(modality):
    config = presets.preset("cpu", modality).field
    with torch.device("meta"):
        base = BaseField(config)
    for name in (name for name in representations if named(name).needs_base):
        model = make_representation(name, base, config)
        with torch.device("meta"):
            encoder = StartEncoder(model, EncoderConfig())
        header = 200 * (len(model.layout.to_json()) + 100) + 10 * (model.layout.total - model.size)
        assert 2 * sum(value.numel() for value in encoder.state_dict().values()) + header < 10e6, name


def test_a_narrow_picture_is_seen_where_it_is():
    pixels = torch.zeros(1, 64, 32, 3, dtype=torch.uint8)
    seen = ImageTargets(pixels).seen()
    assert seen.shape == (1, 3, 64, 64)
    assert (seen[..., 16:48] == -1).all() and (seen[..., :16] == 0).all() and (seen[..., 48:] == 0).all()


def test_a_file_is_read_back_and_shared(folder, heldout):
    encoder = load_encoder(encoder_file(folder))
    assert encoder is load_encoder(encoder_file(folder)) and not any(p.requires_grad for p in encoder.parameters())
    assert 0 < encoder.known <= 1 and encoder.config.fit_steps == 30 and encoder.config.a_rate == FIT.a_rate
    save_encoder(folder / "copy.safetensors", encoder, {})
    copy, targets = load_encoder(folder / "copy.safetensors"), training_targets(heldout)
    assert torch.equal(copy(targets.seen()), encoder(targets.seen()))
    assert encoder_file(folder).stat().st_size < 10e6


@pytest.mark.once
def test_training_goes_on_where_it_was_stopped(folder, tmp_path):
    base, out = folder / "base.safetensors", tmp_path / "a.safetensors"
    for record in train_encoder(base, out=out, steps=STEPS):
        assert record.step == 50
        break
    first, *_ = train_encoder(base, out=out, steps=STEPS)
    assert first.step == 100
    again, straight = load_encoder(out), load_encoder(encoder_file(folder))
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), straight.parameters(), strict=True))


def test_another_run_is_refused_and_the_same_is_kept(folder, tmp_path, capsys):
    out = tmp_path / "a.safetensors"
    shutil.copyfile(encoder_file(folder), out)
    command = ["encoder", str(folder / "base.safetensors"), "--out", str(out), "--steps", str(STEPS)]
    assert main(command) == OK and "is there already" in " ".join(capsys.readouterr().out.split())
    assert main([*command, "--seed", "1"]) == MISTAKE
    assert "seed was 0 and is now 1" in " ".join(capsys.readouterr().err.split())
    shutil.copyfile(folder / "base.safetensors", out)
    assert main(command) == MISTAKE and "is not an encoder" in " ".join(capsys.readouterr().err.split())


def test_a_missing_or_foreign_encoder_is_named(folder, heldout, tmp_path):
    with pytest.raises(WsrError, match="no encoder for 'mlora' on this base .* `wsr encoder .*base.* mlora`"):
        fitted(heldout, folder, "encoded", representation="mlora")
    with pytest.raises(WsrError, match="another base, rank or mask"):
        fitted(heldout, folder, "encoded", rank=1)
    with pytest.raises(WsrError, match="adapts no base"):
        fitted(heldout, folder, "encoded", representation="mlp")
    with pytest.raises(WsrError, match="init cannot be 'normal'"):
        fitted(heldout, folder, "encoded", init="normal")
    with pytest.raises(WsrError, match="Unknown start 'encodde': did you mean 'encoded'"):
        fitted(heldout, folder, "encodde")
    with pytest.raises(WsrError, match="adapts no base"):
        next(train_encoder(folder / "base.safetensors", "mlp", tmp_path / "x.safetensors"))


def test_a_zoo_records_its_encoder(folder, tmp_path, capsys):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for i in range(100, 105):
        Image.fromarray(np.uint8(picture(i) * 255)).resize((128, 128)).save(pictures / f"{i}.png")
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    Image.fromarray(noise).save(pictures / "noise.png")
    command = ["zoo", "build", f"images:{pictures}", "--out", str(tmp_path / "zoo"), "--start", "encoded"]
    command += ["--base", str(folder / "base.safetensors")]
    assert main(command) == OK
    zoo = Zoo.open(tmp_path / "zoo")
    encoder = encoder_for(zoo.representation)
    assert json.loads((tmp_path / "zoo/zoo.json").read_text())["encoded"] == {
        "sha256": encoder.sha256, "plain_steps": FIT.steps,
    }  # fmt: skip
    steps = dict(zip(zoo.ids, zoo.index["steps"], strict=True))
    assert steps.pop("noise.png") == FIT.steps and list(steps.values()).count(30) >= 3
    capsys.readouterr()
    assert main([*command[:-4], *command[-2:]]) == MISTAKE  # without --start encoded
    assert "encoded" in " ".join(capsys.readouterr().err.split())
    assert main([*command, "--init", "spread"]) == MISTAKE
    Image.fromarray(noise[::-1]).save(pictures / "other.png")
    before = encoder_file(folder).read_bytes()
    try:
        save_encoder(encoder_file(folder), encoder, {"other": True})
        assert main(command) == MISTAKE
        assert "encoded.sha256 is another" in " ".join(capsys.readouterr().err.split())
        with pytest.raises(WsrError, match="begun with another encoder"):
            list(build_zoo(Zoo.open(tmp_path / "zoo"), load_signals(f"images:{pictures}")))
    finally:
        encoder_file(folder).write_bytes(before)


@pytest.mark.parametrize("modality, part", [("image", 0.25), ("occupancy", 0.5)])
def test_fits_that_begin_where_an_encoder_says_take_a_lower_rate(modality, part):
    usual = FitSettings().config("mlora-asym", modality)
    assert FitSettings().config("mlora-asym", modality, began_encoded=True) == replace(usual, lr=usual.lr * part)
    for stated in (FitSettings(lr=0.03), FitSettings(protocol="structured")):  # the rate is theirs
        assert stated.config("mlora-asym", modality, began_encoded=True) == stated.config("mlora-asym", modality)
