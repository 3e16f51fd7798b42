"""Diffusion, the other generators, audits, features and symmetries on a machine with a GPU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from pretend_gpu import GPU

import wsr
from wsr import symmetry
from wsr.analysis.novelty import Audit
from wsr.generators.base import SaveSettings
from wsr.generators.baselines import averages, gaussian, noisy, plants
from wsr.generators.diffusion import DiffusionConfig, Training, WeightDiffusion, load_diffusion, sample_zoo
from wsr.generators.diffusion.config import PREDICTIONS
from wsr.generators.hyper_representations import HyperRepresentations
from wsr.generators.latent import LatentConfig
from wsr.generators.p_diff import PDiff, PDiffConfig
from wsr.metrics.features import CloudExtractor, ImageExtractor, efficientnet_lite
from wsr.metrics.pointnet import PointNet
from wsr.run_files import CheckpointPace
from wsr.symmetry import align, canonical

TINY = DiffusionConfig(16, 1, 2, 8, 3e-3, 6, timesteps=20, beta=(1e-3, 0.2), ema=0.9, warmup=2, shared_modulation=True)


@pytest.fixture
def accelerated(gpu, monkeypatch):
    """`accelerate` takes the GPU, as it does by itself where there is one."""
    monkeypatch.setattr(Accelerator, "device", property(lambda self: torch.device("cuda")))
    return gpu


@pytest.fixture
def adapter(make):
    return make("mlora-asym")


def weights(model, n=20):
    generator = torch.Generator().manual_seed(5)
    return model.initial() + 0.3 * torch.randn(n, model.size, generator=generator)


def classes(n=20):
    return ["even" if i % 2 == 0 else "odd" for i in range(n)]


def fresh(model, config=TINY):
    return WeightDiffusion.new(model, weights(model), config, ["even", "odd"])


def test_a_loaded_model_never_moves_and_samples_the_same(adapter, tmp_path, gpu):
    fresh(adapter).save(tmp_path / "m.safetensors", SaveSettings(bits=32))
    shared = load_diffusion(tmp_path / "m.safetensors", adapter)
    there = shared.to("cuda")
    assert all(p.device.type == "cpu" for p in shared.network.parameters()) and shared.mean.device.type == "cpu"
    assert all(p.device == GPU for p in [*there.network.parameters(), *there.network.buffers(), there.mean])
    assert there.to("cuda") is there and shared.to("cpu") is shared
    assert there.fingerprint() == shared.fingerprint()
    for options in ({}, {"guidance": 2.5}, {"cls": "odd"}, {"classes": [None, None], "final_noise": 0.3}):
        here, found = (model.sample(2, steps=4, **options) for model in (shared, there))
        assert found.device.type == "cpu" and torch.allclose(here, found, atol=1e-4)
    assert all(step.weights.device.type == "cpu" for step in there.sample_stream(2, steps=4))


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_sampling_reads_no_number_from_the_network(adapter, predict, gpu):
    """Whatever the scheduler asks of its own tables: steps do not wait for the weights themselves."""
    there = fresh(adapter, replace(TINY, predict=predict)).to("cuda")
    gpu.syncs.clear()
    there.sample(2, steps=4, guidance=2.0)
    few = sum(gpu.syncs.values())
    gpu.syncs.clear()
    there.sample(2, steps=12, guidance=2.0)
    assert gpu.syncs["cpu"] <= 2 and sum(gpu.syncs.values()) <= few + 8, gpu.syncs


@pytest.mark.parametrize("name", ["mlora-asym", "lora", "mlp"])
def test_a_model_is_trained_watched_kept_and_sampled(name, make, tmp_path, accelerated):
    model = make(name)
    made = fresh(model, replace(TINY, patience=2, eval_every=2))
    training = Training(made, weights(model), classes())
    training.validation = weights(model, 4), classes(4)
    often = CheckpointPace.at(0.0)
    records = list(training.run(record_every=2, monitor_every=4, checkpoint=tmp_path / "c", pace=often))
    assert records[-1].done and any(record.monitor for record in records) and made.mean.device == GPU
    assert np.isfinite(records[-1].loss) and np.isfinite(records[-1].validation)
    again = Training(fresh(model, replace(TINY, patience=2, eval_every=2)), weights(model), classes())
    again.validation = training.validation
    again.load(tmp_path / "c")
    assert again.step == training.step
    assert made.sample(3, steps=4).device.type == "cpu"
    made.to("cpu").save(tmp_path / "m.safetensors")
    assert made.mean.device == GPU
    assert load_diffusion(tmp_path / "m.safetensors", model).sample(1, steps=2).isfinite().all()


def test_samples_become_a_zoo(adapter, tmp_path, accelerated):
    from wsr.zoo.meta import zoo_meta

    start = {"init": "centered", "sigma": 0.02, "init_seed": 0, "steps": 3}
    meta = zoo_meta(adapter, preset="cpu", dataset="d", **start)
    model = fresh(adapter).to("cuda")
    model.about |= {"zoo": meta, "name": "d"}
    assert list(sample_zoo(model, tmp_path / "z", 5, steps=3)) == [5]
    samples = wsr.Zoo.open(tmp_path / "z")
    assert samples.weights().device.type == "cpu" and samples.weights().shape == (5, adapter.size)


def test_a_zoo_and_an_extractor_go_to_the_gpu_as_copies(gpu):
    zoo = wsr.Zoo.open("tests/fixtures/before/zoos/pictures-mlp")
    there, of = zoo.to("cuda"), efficientnet_lite()
    assert there.representation.device == GPU and zoo.representation.device.type == "cpu"
    pictures = there.decode(zoo.ids[:2])
    assert np.array_equal(pictures, zoo.decode(zoo.ids[:2])) and there.ids == zoo.ids
    moved = of.to("cuda")
    assert moved.device == "cuda" and of.device == "cpu" and np.allclose(moved(pictures), of(pictures), atol=1e-5)
    cloud = CloudExtractor(PointNet(3), "own", 256)
    assert next(cloud.to("cuda").network.parameters()).device == GPU and cloud.to("cuda").name == "own"


def test_the_other_generators(adapter, accelerated):
    data, config = weights(adapter), LatentConfig(latent=4, width=8, steps=4, batch=4)
    both = PDiffConfig(config, replace(TINY, label_drop=0.0))
    for made in (HyperRepresentations.new(data, config), PDiff.new(data, both)):
        list(made.train_stream())
        assert made.sample(3).device.type == "cpu" and made.reconstructed().device.type == "cpu"


@pytest.mark.parametrize("name", ["mlora", "lora", "mlp"])
def test_an_audit_takes_samples_from_anywhere_and_speaks_on_the_cpu(name, make, gpu):
    model, found = make(name), []
    known, new = weights(model, 60), weights(model, 100)[60:]
    for device in ("cpu", "cuda"):
        audit = Audit(model, known.to(device))
        audit.calibrate(new, 0.1)
        away = audit.distances(new.to("cuda"))
        assert all(getattr(away, part).device.type == "cpu" for part in ("distance", "nearest", "pair", "blend"))
        assert all(one.device.type == "cpu" for pair in audit.neighbours(new).values() for one in pair)
        assert audit.among().device.type == "cpu"
        found.append([verdict.word for verdict in audit.judge(new)])
        drawn = [noisy(known.to(device), 0.1, 3), averages(known.to(device), 2, 3), gaussian(known.to(device), 3)]
        assert all(one.device.type == device for one in drawn)
        assert set(plants(model.to(device), known.to(device), 4)) >= {"noise 0.1", "average of 2"}
    assert found[0] == found[1]


@pytest.mark.parametrize("name", wsr.representations)
def test_symmetries_act_where_the_weights_are(name, make, gpu):
    model = make(name)
    there, some = model.to("cuda"), weights(model, 3)
    moved = some
    for kind in model.kind.symmetries:
        full = symmetry.act(there, there.layout.fill(some.to("cuda")), kind, 1, 0.3)
        assert torch.allclose(full.cpu(), symmetry.act(model, model.layout.fill(some), kind, 1, 0.3), atol=1e-4)
        assert symmetry.violations(there, full).device == GPU and symmetry.remask(there, full).device == GPU
        if kind in model.kind.allowed:
            moved = model.layout.strip(full.cpu())
    assert torch.allclose(canonical(there, some.to("cuda")).cpu(), canonical(model, some), atol=1e-3)
    back = align(there, moved.to("cuda"), some.to("cuda"))
    assert torch.allclose(back.cpu(), align(model, moved, some), atol=1e-3)
    points = torch.zeros(1, 2, 2, device="cuda")
    assert there.unmasked().evaluate(there.layout.fill(some.to("cuda")), points).device == GPU


def test_feature_extractors_leave_the_network_that_they_were_given(gpu):
    torch.manual_seed(0)
    network = PointNet(4)
    there = CloudExtractor(network, "PointNet++", 256, "cuda")
    clouds = np.random.default_rng(0).normal(size=(2, 600, 3)).astype(np.float32)
    assert all(p.device.type == "cpu" for p in network.parameters())
    assert np.allclose(there(clouds), CloudExtractor(network, "PointNet++", 256)(clouds), atol=1e-4)
    pictures = np.random.default_rng(0).random((1, 16, 16, 3)).astype(np.float32)
    plain = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 9, 9), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    found = [ImageExtractor(plain, "x", 4, ((0.5,) * 3, (0.5,) * 3), device)(pictures) for device in ("cpu", "cuda")]
    assert np.allclose(*found, atol=1e-5)
    assert efficientnet_lite("cuda").mean.device == GPU
