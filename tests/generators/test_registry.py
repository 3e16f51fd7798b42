"""Every registered generator is trained, sampled, saved and loaded in the same way."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from wsr.errors import WsrError
from wsr.fields.representation import make_representation
from wsr.generators import GeneratorKind, kinds, named, names, register, registered
from wsr.generators.base import SampleSettings, TrainSettings
from wsr.generators.baselines import averages, noisy
from wsr.generators.diffusion import DiffusionConfig, WeightDiffusion, load_diffusion
from wsr.generators.files import load_generator
from wsr.generators.hyper_representations import HyperRepresentations
from wsr.generators.jobs import sample_zoo, train_generator
from wsr.generators.latent import LatentConfig
from wsr.generators.metadata import read_about
from wsr.generators.p_diff import PDiffConfig
from wsr.zoo import Zoo

TINY = DiffusionConfig(16, 1, 2, 8, 3e-3, 4, timesteps=20, beta=(1e-3, 0.2), ema=0.9, shared_modulation=True)
LATENT = LatentConfig(latent=4, width=12, steps=4, batch=8)
CONFIGS = {
    "diffusion": TINY, "hyperdiffusion": TINY, "gpt": TINY, "hyper-representations": LATENT,
    "p-diff": PDiffConfig(LATENT, TINY),
}  # fmt: skip
SNAPSHOTS = [2, 4]


@pytest.fixture
def zoo(base, config, tmp_path, monkeypatch):
    """A trajectory zoo of six fits with two steps each, which every generator can be trained on."""
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    model = make_representation("mlora-asym", base, config, mask_seed=7)
    settings = dict(dataset="test", preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=4)
    made = Zoo.create(tmp_path / "z", model, **settings, snapshots=SNAPSHOTS)
    noise = torch.randn(12, model.size, generator=torch.Generator().manual_seed(1))
    rows = [{"id": f"fit{i // 2}@{SNAPSHOTS[i % 2]}", "class": "ab"[i // 2 % 2], "split": "train", "quality": 1.0,
             "steps": SNAPSHOTS[i % 2], "seconds": 0.0, "target_sha256": "", "status": "ok", "loss": 1.0 / (i + 1)}
            for i in range(12)]  # fmt: skip
    made.append(model.initial() + 0.3 * noise, rows)
    return made


def settings_of(name: str, **changes) -> TrainSettings:
    return TrainSettings(config=CONFIGS.get(name), **changes)


@pytest.mark.parametrize("name", names())
def test_every_generator_goes_the_same_way(name, zoo, tmp_path):
    out, size = tmp_path / "m.safetensors", zoo.representation.size
    records = list(train_generator(name, zoo, out, settings_of(name)))
    assert records and not records[-1].kept and read_about(out)["generator"] == name
    made = load_generator(out, zoo.representation)
    assert isinstance(made, named(name).generator) and made.kind == name and made.about["name"] == "z"
    settings = SampleSettings(steps=3, seed=5)
    many, classes = made.draw(6, settings)
    assert many.shape == (6, size) and many.isfinite().all() and len(classes) == 6
    assert torch.allclose(made.draw(2, settings, first=3)[0], many[3:5], atol=1e-5), "a sample depends on its number"
    assert not torch.equal(made.sample(6, seed=6, steps=3), many)
    again = load_generator(out, zoo.representation)
    assert torch.equal(again.sample(6, settings), many) and again.fingerprint() == made.fingerprint()
    *_, last = made.sample_stream(2, settings)
    assert torch.allclose(last.weights, many[:2], atol=1e-5) and last.step == last.steps
    assert made.describe()["generator"] == named(name).title
    assert list(sample_zoo(made, tmp_path / "s", 3, settings))[-1] == 3
    with pytest.raises(WsrError, match="sampled.seed was 5 and is now 6"):
        list(sample_zoo(made, tmp_path / "s", 4, replace(settings, seed=6)))
    assert Zoo.open(tmp_path / "s").meta["sampled"]["generator"] == name


@pytest.mark.parametrize("name", names())
def test_the_same_run_is_kept_and_another_one_is_refused(name, zoo, tmp_path):
    out = tmp_path / "m.safetensors"
    list(train_generator(name, zoo, out, settings_of(name)))
    assert [record.kept for record in train_generator(name, zoo, out, settings_of(name))] == [True]
    with pytest.raises(WsrError, match="seed was 0 and is now 1"):
        list(train_generator(name, zoo, out, settings_of(name, seed=1)))
    before = out.read_bytes()
    list(train_generator(name, zoo, out, settings_of(name, seed=1), overwrite=True))
    assert out.read_bytes() != before


@pytest.mark.once
@pytest.mark.parametrize("name", names())
def test_a_damaged_file_is_refused_with_a_sentence(name, zoo, tmp_path):
    out = tmp_path / "m.safetensors"
    list(train_generator(name, zoo, out, settings_of(name)))
    with safe_open(out, "pt") as file:
        state, meta = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["wsr"])
    for key in state:
        for changed in ({**state, key: torch.zeros(3, 3, 3)}, {k: v for k, v in state.items() if k != key}):
            save_file(changed, out, {"wsr": json.dumps(meta)})
            with pytest.raises(WsrError, match="is not a generator"):
                load_generator(out, zoo.representation)
    for wrong in ({"config": {}}, {"config": {"x": 1}}, {"config": []}, {"generator": "nobody's"}, {"generator": 3}):
        save_file(state, out, {"wsr": json.dumps({**meta, **wrong})})
        with pytest.raises(WsrError):
            if name != "gaussian" or wrong != {"config": {"x": 1}}:
                load_generator(out, zoo.representation)
            raise WsrError("a Gaussian has no settings that could be missing")


def test_a_file_of_an_earlier_version_opens_under_its_old_names(zoo, tmp_path):
    """Without `generator`, and with old names of settings: in the model, in its run's identity and in its samples."""
    out, config = tmp_path / "m.safetensors", replace(TINY, final_noise=0.3, eval_every=7)
    list(train_generator("diffusion", zoo, out, TrainSettings(config=config)))
    made = load_diffusion(out, zoo.representation)
    list(sample_zoo(made, tmp_path / "s", 2, steps=3))
    with safe_open(out, "pt") as file:
        state, meta = {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()["wsr"])
    for settings in (meta["config"], meta["about"]["identity"]["parts"]["config"]):
        settings["end"], settings["look"] = settings.pop("final_noise"), settings.pop("eval_every")
    del meta["generator"]
    save_file(state, out, {"wsr": json.dumps(meta)})
    old = load_generator(out, zoo.representation)
    assert isinstance(old, WeightDiffusion) and old.config == made.config
    assert torch.equal(old.sample(2, steps=3), made.sample(2, steps=3))
    assert [one.kept for one in train_generator("diffusion", zoo, out, TrainSettings(config=config))] == [True]
    path = tmp_path / "s" / "zoo.json"
    described = json.loads(path.read_text())
    described["sampled"]["end"] = described["sampled"].pop("final_noise")
    del described["sampled"]["generator"]
    path.write_text(json.dumps(described))
    assert list(sample_zoo(old, tmp_path / "s", 3, steps=3)) == [3]


def test_the_flat_baseline_is_diffusion_without_the_layer_encoder(zoo, tmp_path):
    list(train_generator("hyperdiffusion", zoo, tmp_path / "m.safetensors", TrainSettings(config=TINY)))
    made = load_diffusion(tmp_path / "m.safetensors", zoo.representation)
    assert not made.config.encoder and made.config.predict == "sample"
    assert made.network.tokens.count == 2 * zoo.representation.layers


def test_baselines_are_the_functions_of_their_names(zoo, tmp_path):
    weights = zoo.weights()
    for name, wanted in (("noise", noisy(weights, 0.1, 128, 4)), ("average", averages(weights, 2, 128, 4))):
        list(train_generator(name, zoo, tmp_path / f"{name}.safetensors"))
        made = load_generator(tmp_path / f"{name}.safetensors", zoo.representation)
        assert torch.allclose(made.sample(9, seed=4), wanted[:9], atol=1e-6)


def test_a_latent_generator_gives_what_it_gave_before_samples_were_drawn_in_blocks():
    data = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    made = HyperRepresentations.new(data, LATENT)
    list(made.train_stream())
    generator = torch.Generator().manual_seed(3)
    rows = torch.randint(0, 20, (128, 4), generator=generator)
    latents = made.known.gather(0, rows) + made.width * torch.randn(128, 4, generator=generator)
    with torch.no_grad():
        wanted = made.autoencoder.decode(latents) * made.std + made.mean
    assert torch.equal(made.sample(128, seed=3), wanted)


def test_names_are_looked_up_once():
    mine = GeneratorKind("mine", "Mine", WeightDiffusion)
    with registered(mine):
        assert named("mine") is mine and "mine" in names() and mine.stem("z") == "z-mine"
        with pytest.raises(WsrError, match="registered already"):
            register(mine)
    with pytest.raises(WsrError, match="did you mean 'diffusion'"):
        named("difusion")
    assert {kind.name for kind in kinds("own")} == {"diffusion"} and len(kinds("baseline")) == 3


@pytest.mark.once
def test_listing_the_generators_does_not_load_torch_and_the_model_not_its_compiler():
    """The compiler takes three seconds to load, before the first samples on the page; training loads it with AdamW."""
    asked = (
        "import sys, wsr.generators.metadata, wsr.metrics.registry; print('torch' in sys.modules);"
        "import wsr.generators.diffusion.model; print('torch._dynamo' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["False", "False"]
