"""The engine neither seeds nor uses the global random state, and another thread that does so changes no result."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import wsr
from wsr.fields.representation import make_representation
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.tokens import FlatTokens, make_tokens
from wsr.generators.diffusion.transformer import WeightTransformer
from wsr.generators.latent import Autoencoder, LatentConfig
from wsr.randomness import drawing_from

TINY = DiffusionConfig(16, 1, 2, 8, 3e-3, 4, timesteps=10, shared_modulation=True)


def state() -> tuple[bytes, bytes]:
    """Returns the global random state of PyTorch and NumPy. That of `random` is left out, because beartype uses it to
    choose which item of a list it checks."""
    return bytes(torch.get_rng_state().numpy()), np.random.get_state()[1].tobytes()


def parameters(module: nn.Module) -> torch.Tensor:
    return torch.cat([value.detach().flatten().float() for value in module.state_dict().values()])


@pytest.mark.parametrize("kind", ["transformer", "tokens of layers", "autoencoder", "embedding", "own draws"])
def test_seeded_layers_equal_those_made_after_seeding_torch_globally(kind, base, config):
    make: dict[str, Callable[[], nn.Module]] = {
        "transformer": lambda: WeightTransformer(FlatTokens([20, 30], 16), TINY, 3),
        "tokens of layers": lambda: make_tokens(make_representation("mlora", base, config), TINY),
        "autoencoder": lambda: Autoencoder(40, LatentConfig(latent=4, width=20)),
        "embedding": lambda: nn.Embedding(7, 5),
        "own draws": lambda: nn.ParameterList([torch.randn(3, 4), torch.rand(5), torch.empty(4, 4).normal_(std=2)]),
    }
    torch.manual_seed(11)
    wanted = parameters(make[kind]())
    torch.manual_seed(5)
    before = state()
    with drawing_from(11):
        found = parameters(make[kind]())
    assert torch.equal(found, wanted)
    assert state() == before


@pytest.mark.parametrize("p", [0.0, 0.4, 0.5])
def test_dropout_too(p):
    x = torch.randn(20, 30, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(3)
    wanted = nn.functional.dropout(x, p)
    before = state()
    with drawing_from(3):
        assert torch.equal(nn.Dropout(p)(x), wanted)
        assert torch.equal(nn.Dropout(p).eval()(x), x)
    assert state() == before


def test_threads_that_draw_at_once_do_not_disturb_each_other():
    def made(seed: int) -> torch.Tensor:
        with drawing_from(seed):
            return torch.cat([parameters(WeightTransformer(FlatTokens([20], 16), TINY, 3)) for _ in range(3)])

    alone = [made(seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(made, range(8)))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_no_file_of_the_engine_the_app_or_the_scripts_sets_a_global_seed():
    root = Path(wsr.__file__).parent.parent
    seeds = re.compile(r"\b(torch\.(cuda\.)?manual_seed|np\.random\.seed|random\.seed|set_seed|fork_rng)\b\(")
    files = [file for folder in ("wsr", "app", "precompute") for file in (root / folder).rglob("*.py")]
    found = [str(file.relative_to(root)) for file in files if seeds.search(file.read_text())]
    assert len(files) > 100 and not found


def test_no_public_call_uses_or_changes_the_global_state(base, config, tmp_path, monkeypatch):
    """Trains a base, fits pictures into a zoo, trains a model on it, draws samples, audits and maps them."""
    from PIL import Image

    from wsr import presets
    from wsr.analysis.novelty import audit_of
    from wsr.analysis.projections import ProjectionConfig, project
    from wsr.data import load_signals
    from wsr.fields.checkpoint import load_base
    from wsr.fitting.bases import train_base
    from wsr.generators.diffusion import load_diffusion, sample_zoo, train_diffusion
    from wsr.generators.hyper_representations import HyperRepresentations
    from wsr.presets import BaseTrainingConfig, FitConfig, PresetConfig, Stage
    from wsr.symmetry import act
    from wsr.zoo import Zoo, build_zoo

    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    schedule = BaseTrainingConfig((Stage(3, 4, 32, 2e-3),))
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), PresetConfig(16, config, FitConfig(2, 32, 4), schedule))
    (tmp_path / "p").mkdir()
    for i in range(6):
        Image.new("RGB", (16, 16), (40 * i, 9, 90)).save(tmp_path / f"p/{i}.png")
    signals = load_signals(f"images:{tmp_path / 'p'}")
    settings = dict(dataset=signals.name, preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=2)
    torch.manual_seed(1)
    before, done = state(), []

    def check(name: str) -> None:
        assert state() == before, name
        done.append(name)

    list(train_base(signals, tmp_path / "b.safetensors"))
    check("base")
    model = make_representation("mlora-asym", load_base(tmp_path / "b.safetensors"), config, 2)
    zoo = Zoo.create(tmp_path / "z", model, **settings)
    list(build_zoo(zoo, signals, workers=1))
    check("zoo")
    noise = torch.randn(60, model.size, generator=torch.Generator().manual_seed(0))
    row = {"class": "", "quality": 1.0, "steps": 1, "seconds": 0.0, "target_sha256": "", "status": "ok"}
    rows = [{"id": f"i{i}", "split": "train" if i < 30 else "heldout", **row} for i in range(60)]
    zoo.append(zoo.weights()[:1] + 0.1 * noise, rows)
    list(train_diffusion(zoo, tmp_path / "m.safetensors", config=TINY))
    check("diffusion")
    made = load_diffusion(tmp_path / "m.safetensors")
    list(sample_zoo(made, tmp_path / "s", 3, steps=2))
    check("samples")
    generator = HyperRepresentations.new(zoo.weights(), LatentConfig(4, 20, 3))
    list(generator.train_stream())
    generator.sample(2)
    check("another generator")
    audit_of(zoo, 0.2)[0].judge(Zoo.open(tmp_path / "s").weights())
    check("audit")
    for method in ("pca", "tsne", "umap"):
        project(zoo.weights().numpy(), ProjectionConfig(method, 2))
        check(method)
    zoo.decode(zoo.ids[:1], 8)
    full = zoo.representation.layout.fill(zoo.weights()[:1])
    act(make_representation("mlora", model.base, config, 2), full, "permutation", 3)
    check("decoding and a symmetry")
    assert len(done) == 10
