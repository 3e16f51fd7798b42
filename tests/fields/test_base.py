import math
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from wsr.errors import WsrError
from wsr.fields.base import DTYPE_VARIABLE, BaseField, compute_dtype, multiplies_bf16, set_compute_dtype
from wsr.fields.checkpoint import BaseInfo, base_name, load_base, load_latents, save_base
from wsr.fields.coordinates import morton_order, pixel_grid
from wsr.fields.synthesis import Modulation, demodulate, synthesize


def test_demodulated_rows_have_the_norm_of_the_gain():
    rows = demodulate(torch.randn(3, 5, 7) * 10)
    assert torch.allclose(rows.norm(dim=-1), torch.full((3, 5), math.sqrt(2)), atol=1e-5)


@pytest.mark.parametrize("additive", [False, True])
def test_the_gradient_written_by_hand_is_that_of_the_composed_operations(additive):
    def draw(*shape):
        return torch.randn(*shape, dtype=torch.float64, requires_grad=True)

    h, weight, bias = draw(3, 9, 6), draw(4, 6, 6), draw(4, 6)
    a, b = draw(4, 3, 2, 6), draw(4, 3, 6, 2)

    def composed():
        x, matrices = h, demodulate(Modulation(weight, a, b, additive).matrices())
        for block in (0, 2):
            y = x
            for k in (block, block + 1):
                y = torch.relu(y @ matrices[k].mT + bias[k])
            x = (x + y) / math.sqrt(2)
        return x

    given, grad = (h, weight, bias, a, b), torch.randn(3, 9, 6, dtype=torch.float64)
    fast, plain = synthesize(h, Modulation(weight, a, b, additive), bias), composed()
    assert torch.allclose(fast, plain)
    for x, y in zip(torch.autograd.grad(fast, given, grad), torch.autograd.grad(plain, given, grad), strict=True):
        assert torch.allclose(x, y, atol=1e-9)


def test_the_forward_pass_is_the_one_of_section_8_2(base, points):
    """Blocks of two demodulated layers with a residual connection, (x + h)/√2, applied to sin(ω0 (W p + b))."""
    styles = base.styles(torch.randn(3, base.config.latent))
    h = torch.sin(base.config.omega * (points @ base.fourier_weight.T + base.fourier_phase)).expand(3, -1, -1)
    for block in range(base.config.blocks):
        x = h
        for layer in (2 * block, 2 * block + 1):
            matrices = demodulate(base.weight[layer] * styles[:, layer, None, :])
            x = torch.relu(torch.einsum("noi,npi->npo", matrices, x) + base.bias[layer])
        h = (x + h) / math.sqrt(2)
    expected = F.linear(h, base.out_weight, base.out_bias)
    assert torch.allclose(base(points, base.modulated(styles)), expected, atol=1e-5)


def test_the_scale_of_a_style_does_not_matter(base, points):
    styles = base.styles(torch.randn(1, base.config.latent))
    assert torch.allclose(base(points, base.modulated(styles)), base(points, base.modulated(styles * 3)), atol=1e-5)


def test_a_checkpoint_gives_the_base_back(base, points, tmp_path):
    path = tmp_path / "small.safetensors"
    save_base(path, base, BaseInfo("emoji", "cpu", 5, {"steps": 2}), torch.ones(3, 8), ["a", "b", "c"])
    again = load_base(path)
    means = (field(points, field.modulated(field.mean_style[None])) for field in (again, base))
    assert torch.equal(*means)
    assert (again.info.mask_seed, again.info.training, len(again.info.sha256)) == (5, {"steps": 2}, 64)
    assert load_latents(path)[1] == ["a", "b", "c"]


def test_what_is_not_a_base_is_refused(tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"not a checkpoint")
    with pytest.raises(WsrError, match="not a safetensors file"):
        load_base(bad)
    with pytest.raises(WsrError, match="base"):
        load_base("nothing-of-this-name")


def test_a_base_of_the_assets_comes_before_the_one_that_is_shipped(base, tmp_path, monkeypatch):
    monkeypatch.delenv("WSR_ASSETS", raising=False)
    shipped = load_base("emoji").info.path
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    assert load_base("emoji").info.path == shipped and base_name(shipped) == "emoji"
    own = tmp_path / "bases/emoji.safetensors"
    save_base(own, base, BaseInfo("emoji", "cpu", 5))
    assert load_base("emoji").info.path == str(own)
    # the name of the shipped base now leads to the other file
    assert base_name(own) == "emoji" and base_name(shipped) == shipped


def test_pixel_centres():
    grid = pixel_grid(2, 4).view(2, 4, 2)
    assert torch.allclose(grid[0, :, 0], torch.tensor([-0.75, -0.25, 0.25, 0.75]))  # x grows to the right
    assert torch.allclose(grid[:, 0, 1], torch.tensor([-0.25, 0.25]))  # y grows downwards, and pixels are square
    assert torch.equal(morton_order(3, 5).sort().values, torch.arange(15))


def test_seeds_repeat(config):
    assert torch.equal(BaseField(config, 3).weight, BaseField(config, 3).weight)
    assert not torch.equal(BaseField(config, 3).weight, BaseField(config, 4).weight)


def test_the_type_of_the_products_can_be_chosen(monkeypatch):
    for named, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        monkeypatch.setenv(DTYPE_VARIABLE, named)
        assert compute_dtype("cpu") == dtype
    set_compute_dtype("cpu", torch.float64)
    try:
        assert compute_dtype("cpu") == torch.float64, "what a program sets goes before the environment"
    finally:
        set_compute_dtype("cpu", None)
    monkeypatch.setenv(DTYPE_VARIABLE, "float16")
    with pytest.raises(WsrError, match="'float16'.*float32 or bfloat16"):
        compute_dtype("cpu")
    monkeypatch.delenv(DTYPE_VARIABLE)
    assert compute_dtype("cpu") == (torch.bfloat16 if multiplies_bf16("cpu") else torch.float32)


def test_on_a_cpu_without_avx512_products_are_in_fp32_and_threads_sleep_while_they_wait():
    """In a process of its own, because PyTorch and OpenMP read these settings when they are loaded."""
    environment = {key: value for key, value in os.environ.items() if key not in (DTYPE_VARIABLE, "OMP_WAIT_POLICY")}
    environment |= {"ATEN_CPU_CAPABILITY": "avx2", "OMP_DISPLAY_ENV": "true"}
    program = "from wsr.fields.base import compute_dtype; print(compute_dtype('cpu'))"
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "torch.float32"
    if "OMP_WAIT_POLICY" in ran.stderr:  # printed by the OpenMP of PyTorch's builds for Linux
        assert "OMP_WAIT_POLICY = 'PASSIVE'" in ran.stderr
