"""Nothing in the engine seeds the global random state, uses it, or is disturbed by another thread that does."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import wsr
from wsr.diffusion.config import DiffusionConfig
from wsr.diffusion.latent import Autoencoder, LatentConfig
from wsr.diffusion.tokens import FlatTokens, make_tokens
from wsr.diffusion.transformer import WeightTransformer
from wsr.fields.representation import make_representation
from wsr.randomness import drawing_from

TINY = DiffusionConfig(16, 1, 2, 8, 3e-3, 4, timesteps=10, shared_modulation=True)


def state() -> tuple[bytes, bytes]:
    """Of PyTorch and NumPy. Not of `random`, from which beartype draws which item of a list it checks."""
    return bytes(torch.get_rng_state().numpy()), np.random.get_state()[1].tobytes()


def parameters(module: nn.Module) -> torch.Tensor:
    return torch.cat([value.detach().flatten().float() for value in module.state_dict().values()])


@pytest.mark.parametrize("kind", ["transformer", "tokens of layers", "autoencoder", "embedding", "own draws"])
def test_layers_are_what_a_global_seed_would_have_made_them(kind, base, config):
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
