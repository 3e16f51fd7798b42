"""Tiny files of layouts whose instances share a file or a network, and the fields that the papers' formulas give."""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tests.imports.layouts import OMEGA, colours, grid

SINES, FOURIER, STD = 8.0, "RFFNet", 3.5
MEAN_STD = torch.tensor([0.49186882, 0.48265392, 0.44717726]), torch.tensor([0.24697122, 0.24338895, 0.2615926])


def fit_a_nef(folder: Path, count: int = 6, kind: str = "SIREN") -> dict[str, np.ndarray]:
    """Writes pictures of CIFAR-10 in the layout of fit-a-nef, in two files, and returns them by id. kind: SIREN, MLP or
    RFFNet."""
    folder.mkdir(parents=True)
    names = {"SIREN": ["kernel_net_0.linear", "kernel_net_1.linear", "output_linear"],
             "MLP": ["Dense_0", "Dense_1", "Dense_2"],
             FOURIER: ["layers_0.linear", "layers_1.linear", "linear_final"]}[kind]  # fmt: skip
    sizes = [8 if kind == FOURIER else 2, 8, 8, 3]
    config = [(f"{name}.{part}", shape) for name, i, o in zip(names, sizes, sizes[1:], strict=False)
              for part, shape in (("bias", [o]), ("kernel", [i, o]))]  # fmt: skip
    config = [("encoding.coefficients.kernel", [2, 4]), *config] if kind == FOURIER else config
    generator, rows, found = torch.Generator().manual_seed(0), [], {}
    for i in range(count):
        state = {name: torch.randn(shape, generator=generator) * 0.5 for name, shape in config}
        rows.append(torch.cat([one.flatten() for one in state.values()]))
        found[f"nef-{i:06d}"] = colours(_nef(state, names, kind, grid(32, "x")) * MEAN_STD[1] + MEAN_STD[0], 32)
    half = count // 2
    for first, part in ((0, rows[:half]), (half, rows[half:])):
        np.savez(folder / f"nefs_{first}-{first + len(part)}.npz", params=torch.stack(part).numpy(),
                 param_config=json.dumps(config), labels=np.arange(first, first + len(part)))  # fmt: skip
    params = {"SIREN": {"omega_0": SINES}, FOURIER: {"std": STD}}.get(kind, {})
    (folder / "nef.json").write_text(json.dumps({"name": kind, "params": params}))
    (folder / "cfg.json").write_text(json.dumps({"dataset": {"name": "CIFAR10"}}))
    return found


def nefs_of_shapes(folder: Path, omega: float = 5.0) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Writes two SIRENs of shapes in the layout of fit-a-nef, without its settings, and returns by id points and the
    logits there."""
    folder.mkdir(parents=True)
    generator, rows, found = torch.Generator().manual_seed(0), [], {}
    config = [("kernel_net_0.linear.bias", [6]), ("kernel_net_0.linear.kernel", [3, 6]), ("output_linear.bias", [1]),
              ("output_linear.kernel", [6, 1])]  # fmt: skip
    for i in range(2):
        bias, kernel, last_bias, last = (torch.randn(shape, generator=generator) for _, shape in config)
        rows.append(torch.cat([one.flatten() for one in (bias, kernel, last_bias, last)]))
        points = torch.rand(20, 3, generator=generator) * 2 - 1
        found[f"nef-{i:06d}"] = (points, torch.sin(omega * (points @ kernel + bias)) @ last + last_bias)
    np.savez(folder / "nefs_0-2.npz", params=torch.stack(rows).numpy(), param_config=json.dumps(config))
    return found


def _nef(state: dict[str, torch.Tensor], names: list[str], kind: str, x: torch.Tensor) -> torch.Tensor:
    if kind == FOURIER:
        waves = STD * 2 * math.pi * (x @ state["encoding.coefficients.kernel"])
        x = torch.cat([torch.sin(waves), torch.cos(waves)], -1)
    for name in names[:-1]:
        x = x @ state[f"{name}.kernel"] + state[f"{name}.bias"]
        x = torch.sin(SINES * x) if kind == "SIREN" else torch.relu(x)
    return x @ state[f"{names[-1]}.kernel"] + state[f"{names[-1]}.bias"]


def functa(folder: Path, count: int = 6) -> dict[str, np.ndarray]:
    """Writes modulations in the layout of functa, saved as arrays, and returns their pictures by id."""
    folder.mkdir(parents=True)
    generator, width, size = torch.Generator().manual_seed(0), 8, 5
    path, params = "params/latent_modulated_siren", {}
    sizes = [2, width, width, width, 3]
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
        bound = 0.5 if i == 0 else (0.3 if i == 3 else math.sqrt(6 / inputs) / OMEGA)
        name = f"{path}/modulated_siren_layer{f'_{i}' if i else ''}/linear"
        params[f"{name}/w"] = (torch.rand(inputs, outputs, generator=generator) * 2 - 1) * bound
        params[f"{name}/b"] = (torch.rand(outputs, generator=generator) * 2 - 1) * 0.1
    mapped = f"{path}/latent_to_modulation/mlp/~/linear_0"
    params[f"{mapped}/w"] = torch.randn(size, 3 * width, generator=generator) * 0.02
    params[f"{mapped}/b"] = torch.randn(3 * width, generator=generator) * 0.01
    vectors = torch.randn(count, size, generator=generator)
    line = (torch.arange(64) + 0.5) / 64
    points = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    found = {}
    for i, vector in enumerate(vectors):
        shifts = (vector @ params[f"{mapped}/w"] + params[f"{mapped}/b"]).split(width)
        x, (first, *others) = points, list(params.values())[:8:2]
        biases = list(params.values())[1:8:2]
        for weight, bias, shift in zip([first, *others[:2]], biases[:3], shifts, strict=True):
            x = torch.sin(OMEGA * (x @ weight + bias + shift))
        split, row = ("train", i) if i < count - 2 else ("test", i - count + 2)
        found[f"{split}-{row:06d}"] = colours(x @ others[2] + biases[3] + 0.5, 64)
    np.savez(folder / "params.npz", **{name: one.numpy() for name, one in params.items()})
    train, test = vectors[:-2].numpy(), vectors[-2:].numpy()
    held = {"train.modulation": train, "test.modulation": test, "train.psnr": np.full(count - 2, 30.0)}
    np.savez(folder / "modulations.npz", **held)
    return found


def wsr_pytorch(folder: Path, count: int = 4, additive: bool = False) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Writes a base and adapters as the paper describes them, and returns, by id, points and the values there."""
    (folder / "adapters").mkdir(parents=True)
    generator, c, layers, rank, omega = torch.Generator().manual_seed(0), 8, 4, 2, 32.0

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    base = {"fourier.weight": drawn(c, 2) * 0.1, "fourier.bias": drawn(c) * 0.1, "output.weight": drawn(3, c) * 0.2,
            "output.bias": drawn(3) * 0.1, "mean_style": 1 + 0.2 * drawn(layers, c)}  # fmt: skip
    for i in range(layers):
        base |= {f"layers.{i}.weight": drawn(c, c), f"layers.{i}.bias": drawn(c) * 0.1}
    torch.save(base, folder / "base.pt")
    found = {}
    for n in range(count):
        pairs = [(1 + 0.3 * drawn(rank, c), (1 + 0.3 * drawn(c, rank)) / rank) for _ in range(layers)]
        torch.save(
            {f"layers.{i}.{half}": one for i, pair in enumerate(pairs) for half, one in zip("AB", pair, strict=True)},
            folder / "adapters" / f"face-{n}.pt",
        )
        points = torch.rand(30, 2, generator=generator) * 2 - 1
        h = x = y = torch.sin(omega * F.linear(points, base["fourier.weight"], base["fourier.bias"]))
        for i, (a, b) in enumerate(pairs):
            folded = base[f"layers.{i}.weight"] * base["mean_style"][i]
            weight = folded + b @ a if additive else folded * (b @ a)
            weight = math.sqrt(2) * weight / (weight.square().sum(1, keepdim=True) + 1e-8).sqrt()
            x = x if i % 2 else h
            y = torch.relu(F.linear(y if i % 2 else h, weight, base[f"layers.{i}.bias"]))
            h = (x + y) / math.sqrt(2) if i % 2 else h
        found[f"face-{n}"] = (points, F.linear(h, base["output.weight"], base["output.bias"]))
    return found
