"""Tiny files in the layouts of other programs, and the fields that the papers' formulas give for them.

A reference is written from the formula of its paper, with the coordinates of the program that fitted the weights, and
shares nothing with the package.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

OMEGA = 30.0


def siren_state(names: list[str], sizes: list[int], seed: int) -> dict[str, torch.Tensor]:
    """Weights of a SIREN as its paper initialises them, larger in the last layer so that the picture varies."""
    generator, state = torch.Generator().manual_seed(seed), {}
    for i, (name, inputs, outputs) in enumerate(zip(names, sizes, sizes[1:], strict=False)):
        bound = 1 / inputs if i == 0 else math.sqrt(6 / inputs) / OMEGA
        bound = 0.3 if i == len(names) - 1 else bound
        state[f"{name}.weight"] = (torch.rand(outputs, inputs, generator=generator) * 2 - 1) * bound
        state[f"{name}.bias"] = (torch.rand(outputs, generator=generator) * 2 - 1) * bound
    return state


def siren(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """sin(ω0 (W x + b)) in all layers but the last."""
    tensors = list(state.values())
    for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
        x = torch.sin(OMEGA * F.linear(x, weight, bias))
    return F.linear(x, *tensors[-2:])


def grid(size: int, first: str) -> torch.Tensor:
    """Centres of pixels row by row, from -1 to 1, with x or y as the first coordinate."""
    line = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y] if first == "x" else [y, x], -1).reshape(-1, 2)


def colours(values: torch.Tensor, size: int) -> np.ndarray:
    """Values in [0, 1] as a picture in RGB."""
    return values.clamp(0, 1).expand(-1, 3).reshape(size, size, 3).numpy()


def dwsnets(folder: Path, count: int = 6, split: bool = True) -> dict[str, np.ndarray]:
    """Writes SIRENs of MNIST in the layout of DWSNets, and returns their pictures by id."""
    found, splits = {}, {name: {"path": [], "label": []} for name in ("train", "val", "test")}
    for i in range(count):
        where, label = ("training", "testing")[i % 3 == 2], i % 2 + 3
        name = f"mnist_png_{where}_{label}_{i}"
        state = siren_state(["seq.0", "seq.1", "seq.2"], [2, 8, 8, 1], i)
        path = folder / name / "checkpoints" / "model_final.pth"
        path.parent.mkdir(parents=True)
        torch.save(state, path)
        part = splits[("train", "val", "test")[i % 3]]
        part["path"].append(f"/elsewhere/data/{name}/checkpoints/model_final.pth")
        part["label"].append(str(label))
        found[name] = colours(siren(state, grid(28, "x")) + 0.5, 28)
    if split:
        (folder / "mnist_splits.json").write_text(json.dumps(splits))
    return found


def nfn(folder: Path, count: int = 4) -> dict[str, np.ndarray]:
    """Writes SIRENs of CIFAR-10 in the layout of NFN."""
    found = {}
    for i in range(count):
        state = siren_state(["net.0.linear", "net.1.linear", "net.2"], [2, 8, 8, 3], i)
        path = folder / f"randinit_smaller_{i % 3}s" / f"net{i * 20_000}.pth"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path)
        found[path.stem] = colours(siren(state, grid(32, "y")) * 0.5 + 0.5, 32)
    return found


def implicit_zoo(folder: Path, count: int = 3) -> dict[str, np.ndarray]:
    """Writes SIRENs of CIFAR-10 in the layout of Implicit-Zoo, whose values are normalised."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    found = {}
    for i in range(count):
        state = siren_state([f"seq.{k}" for k in range(4)], [2, 8, 8, 8, 3], i)
        path = folder / "ckpts" / f"{i % 10:02d}" / f"{i:06d}_0000042.ckpt"
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"image_idx": i, "params": state}, path)
        found[path.stem] = colours(siren(state, grid(32, "x")) * std + mean, 32)
    (folder / "0_3.json").write_text(json.dumps({str(i): 30.5 + i for i in range(count)}))
    return found


def hyperdiffusion(folder: Path, count: int = 4, bands: int = 4) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Writes occupancy MLPs in the layout of HyperDiffusion, and returns, by id, points of our cube and the logits
    there."""
    found, names = {}, []
    for i in range(count):
        generator = torch.Generator().manual_seed(i)
        sizes, state = [3 + 6 * bands, 12, 12, 12, 1], {}
        for k, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
            state[f"layers.{k}.weight"] = torch.randn(outputs, inputs, generator=generator) / math.sqrt(inputs / 2)
            state[f"layers.{k}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
        points = torch.rand(50, 3, generator=generator) * 2 - 1
        state[f"layers.{len(sizes) - 2}.bias"] -= _occupancy(state, points / 2, bands).median()  # half lies inside
        names.append(f"1a{i:02d}")
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(state, folder / f"occ_{names[-1]}_jitter_0_model_final.pth")
        found[names[-1]] = (points, _occupancy(state, points / 2, bands))
    for split, rows in (("train", (0, 1)), ("val", (2,)), ("test", (3,))):
        part = [name for i, name in enumerate(names) if i % 4 in rows]
        if part:
            (folder / f"{split}_split.lst").write_text("".join(f"{name}.obj\n" for name in part))
    return found


def _occupancy(state: dict[str, torch.Tensor], x: torch.Tensor, bands: int) -> torch.Tensor:
    """γ(x) = (x, sin x, cos x, sin 2x, cos 2x, …), then an MLP with ReLUs."""
    waves = [wave(x * 2**band) for band in range(bands) for wave in (torch.sin, torch.cos)]
    h, tensors = torch.cat([x, *waves], -1), list(state.values())
    for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
        h = torch.relu(F.linear(h, weight, bias))
    return F.linear(h, *tensors[-2:])
