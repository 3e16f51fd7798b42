"""PointNet++, trained on surface points of a data set's training split. All shape metrics use its features; its
held-out accuracy is stored beside it."""

import time

import numpy as np
import torch
from safetensors.torch import save_file

from precompute.experiment import Cell, Context, Experiment
from precompute.records import parsed
from precompute.selection import has_surfaces, training_signals
from precompute.tables import write_json
from wsr.data import Signals, load_signals
from wsr.fields.base import compute_dtype
from wsr.identity import Identity, content_hash, differences
from wsr.metrics.features import unit_ball
from wsr.metrics.pointnet import PointNet
from wsr.metrics.surfaces import surface_points
from wsr.paths import atomic_path, cache_dir
from wsr.progress import bar
from wsr.randomness import drawing_from

POINTS, DRAWN, BATCH, EPOCHS, LR = 2048, 1024, 16, 2, 1e-3


def clouds(signals: Signals) -> tuple[torch.Tensor, torch.Tensor]:
    """Surface points (n, points, 3), scaled into the unit ball, and labels (n,). The points are kept in the cache."""
    names = sorted(set(signals.classes))
    labels = torch.tensor([names.index(cls) for cls in signals.classes])
    content = content_hash([signal.sha256() for signal in signals])
    identity = Identity.of("clouds", 1, content=content, ids=content_hash(signals.ids), points=POINTS)
    path = cache_dir() / "training" / f"clouds-{identity.short}.npy"
    if not path.exists():
        found = np.zeros((len(signals), POINTS, 3), np.float32)
        with bar(f"clouds of {signals.name}") as update:
            for i, signal in enumerate(signals):
                found[i] = surface_points(signal.read(), POINTS, i)
                if i % 50 == 0 or i == len(signals) - 1:
                    update(i + 1, len(signals))
        with atomic_path(path) as temporary, open(temporary, "wb") as file:
            np.save(file, found)
    return unit_ball(torch.from_numpy(np.load(path))), labels


def run(cell: Cell, context: Context) -> None:
    signals = load_signals(cell.data)
    with drawing_from(0):
        network, report = train(*clouds(signals.where(split="train")))
    held_out, wanted = clouds(signals.where(split="heldout"))
    network.eval()
    with torch.no_grad():
        right = torch.cat([network.classify(part).argmax(1) for part in held_out.split(64)]) == wanted
    report |= {"held-out accuracy": float(right.float().mean()), "held-out shapes": len(right)}
    state = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    weights = context.path(f"metrics/pointnet-{context.named(cell.data)}.safetensors")
    with atomic_path(weights) as temporary:
        save_file(state, temporary)
    write_json(weights.with_suffix(".json"), report)


def train(data: torch.Tensor, labels: torch.Tensor) -> tuple[PointNet, dict]:
    """Trains the network. Returns it with a record of its training."""
    network = PointNet(int(labels.max()) + 1)
    optimizer = torch.optim.Adam(network.parameters(), LR, weight_decay=1e-4)
    steps = EPOCHS * (len(data) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=steps)
    dtype = compute_dtype("cpu")
    begun, generator = time.monotonic(), torch.Generator().manual_seed(0)
    with bar("PointNet++") as update:
        for step in range(steps):
            if step % (len(data) // BATCH) == 0:
                order = torch.randperm(len(data), generator=generator)
            rows = order[(step % (len(data) // BATCH)) * BATCH :][:BATCH]
            with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
                found = network.classify(moved(data[rows], generator)).float()
            loss = torch.nn.functional.nll_loss(found, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            if step % 10 == 9 or step == steps - 1:
                update(step + 1, steps, f"loss {float(loss.detach()):.3f}")
    about = {"points": POINTS, "epochs": EPOCHS, "batch": BATCH, "lr": LR, "seconds": time.monotonic() - begun}
    return network, about


def moved(points: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Augments clouds: draws half of the points of each, and scales and shifts them a little."""
    chosen = points[:, torch.randperm(points.shape[1], generator=generator)[:DRAWN]]
    scale = 0.8 + 0.45 * torch.rand(len(points), 1, 1, generator=generator)
    return chosen * scale + 0.1 * (2 * torch.rand(len(points), 1, 3, generator=generator) - 1)


def settings(cell: Cell, context: Context) -> dict:
    return {"points": POINTS, "drawn": DRAWN, "batch": BATCH, "epochs": EPOCHS, "lr": LR}


def changed(cell: Cell, context: Context) -> list[str]:
    """The differences, in words, between the settings that a training's record states and those of now."""
    told = parsed(context.path(f"metrics/pointnet-{context.named(cell.data)}.json"))
    now = {name: value for name, value in settings(cell, context).items() if name in told}
    return differences({name: told[name] for name in now}, now)


EXPERIMENT = Experiment(
    name="pointnet",
    title="`metrics/pointnet-shapes10.*`: the extractor of shape metrics, with 94.6 % accuracy on held-out shapes",
    data=("shapes10",),
    grid=lambda context: [{"data": data} for data in context.data(EXPERIMENT) if has_surfaces(data)],
    signals=training_signals,
    settings=settings,
    changed=changed,
    makes=("metrics/pointnet-{data}.safetensors", "metrics/pointnet-{data}.json"),
    run=run,
    presets=("cpu",),
    place=10,
    size="3 MB",
    time="33 min ᵃ",
)
