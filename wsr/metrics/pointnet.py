"""PointNet++ with single-scale grouping: a classifier of point clouds, whose last hidden layer is their features.

Module names and sizes are those of the public PyTorch implementation, whose checkpoints load as they are.
"""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wsr.errors import WsrError
from wsr.formats.files import refuse_stand_in, shown
from wsr.formats.tensors import open_tensors

FEATURES = 256
MOST_CLASSES = 100_000


class PointNet(nn.Module):
    """Computes features (n, 256) of clouds (n, points, 3) in the unit ball, or, by `classify`, log-probabilities of
    classes."""

    def __init__(self, classes: int = 40):
        super().__init__()
        self.sa1 = SetAbstraction(512, 0.2, 32, 3, (64, 64, 128))
        self.sa2 = SetAbstraction(128, 0.4, 64, 128 + 3, (128, 128, 256))
        self.sa3 = SetAbstraction(None, None, None, 256 + 3, (256, 512, 1024))
        self.fc1, self.bn1, self.drop1 = nn.Linear(1024, 512), nn.BatchNorm1d(512), nn.Dropout(0.4)
        self.fc2, self.bn2, self.drop2 = nn.Linear(512, FEATURES), nn.BatchNorm1d(FEATURES), nn.Dropout(0.4)
        self.fc3 = nn.Linear(FEATURES, classes)

    def forward(self, points: Float[Tensor, "n p 3"]) -> Float[Tensor, "n 256"]:
        places, values = self.sa1(points, None)
        places, values = self.sa2(places, values)
        _, values = self.sa3(places, values)  # (n, 1, 1024)
        h = self.drop1(torch.relu(self.bn1(self.fc1(values[:, 0]))))
        return torch.relu(self.bn2(self.fc2(h)))

    def classify(self, points: Float[Tensor, "n p 3"]) -> Float[Tensor, "n k"]:
        return torch.log_softmax(self.fc3(self.drop2(self(points))), -1)


class SetAbstraction(nn.Module):
    """Chooses `centres` points far from each other, and for each takes the maximum of a small network over up to `most`
    neighbours within `radius`. Without centres all points are one group."""

    def __init__(self, centres: int | None, radius: float | None, most: int | None, inputs: int, widths: tuple):
        super().__init__()
        self.centres, self.radius, self.most = centres, radius, most
        sizes = (inputs, *widths)
        pairs = list(zip(sizes, sizes[1:], strict=False))
        self.mlp_convs = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairs)
        self.mlp_bns = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)

    def forward(
        self, places: Float[Tensor, "n p 3"], values: Float[Tensor, "n p d"] | None
    ) -> tuple[Float[Tensor, "n c 3"], Float[Tensor, "n c e"]]:
        if self.centres is None:
            centres, near = places.new_zeros(len(places), 1, 3), places[:, None]  # (n, 1, p, 3)
            groups = near if values is None else torch.cat([near, values[:, None]], -1)
        else:
            centres = gather(places, farthest_points(places, self.centres))  # (n, c, 3)
            index = ball(places, centres, self.radius, self.most)  # (n, c, k)
            near = gather(places, index) - centres[:, :, None]
            groups = near if values is None else torch.cat([near, gather(values, index)], -1)
        h = groups.permute(0, 3, 1, 2)  # (n, d, c, k): in memory as it lies, which saves copies
        for conv, norm in zip(self.mlp_convs, self.mlp_bns, strict=True):
            h = torch.relu(norm(conv(h)))
        return centres, h.amax(3).mT


def gather(values: Float[Tensor, "n p d"], index: Int[Tensor, "n ..."]) -> Float[Tensor, "n ... d"]:
    rows = torch.arange(len(values), device=values.device).view(-1, *(1,) * (index.ndim - 1))
    return values[rows, index]


def farthest_points(places: Float[Tensor, "n p 3"], count: int) -> Int[Tensor, "n c"]:
    """Farthest point sampling, starting at the first point."""
    taken = torch.zeros(len(places), count, dtype=torch.long, device=places.device)
    distance = torch.full(places.shape[:2], torch.inf, device=places.device)
    for i in range(1, count):
        last = gather(places, taken[:, i - 1 : i])  # (n, 1, 3)
        distance = torch.minimum(distance, (places - last).square().sum(-1))
        taken[:, i] = distance.argmax(-1)
    return taken


def ball(
    places: Float[Tensor, "n p 3"], centres: Float[Tensor, "n c 3"], radius: float, most: int
) -> Int[Tensor, "n c k"]:
    """Returns the first `most` points within the radius of each centre, in order, padded with the first one."""
    count = places.shape[1]
    squares = torch.cdist(centres, places, compute_mode="donot_use_mm_for_euclid_dist").square()  # (n, c, p)
    order = torch.arange(count, device=places.device).expand_as(squares)
    order = order.masked_fill(squares > radius**2, count)
    found = order.topk(min(most, count), -1, largest=False).values.sort(-1).values
    return torch.where(found == count, found[..., :1], found)


# The public checkpoint keeps its accuracies as NumPy scalars, pickled under NumPy's old module name or its new one.
_SCALARS = [
    *((np._core.multiarray.scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    np.dtype, np.dtypes.Float64DType, np.dtypes.Float32DType,
]  # fmt: skip


def load_pointnet(path: str | Path) -> PointNet:
    """Loads our safetensors file, or a public .pth (without running code in it). WsrError for any other file."""
    path, what = Path(path), "the weights of a PointNet++ classifier"
    if path.suffix == ".safetensors":
        with open_tensors(path, what) as file:
            state = {key: file.tensor(key, dtypes=("F16", "F32", "I64")) for key in file.shapes}
    else:
        state = _public(path, what)
    bias = state.get("fc3.bias")
    if not isinstance(bias, Tensor) or not 1 <= bias.numel() <= MOST_CLASSES:
        raise WsrError(f"{shown(path)} does not hold {what}: its 'fc3.bias', a number for each class, is missing.")
    network = PointNet(bias.numel())
    wanted = network.state_dict()
    wrong = [key for key, value in wanted.items() if key not in state or state[key].shape != value.shape]
    if wrong or len(state) > len(wanted):
        name = wrong[0] if wrong else min(set(state) - set(wanted))
        raise WsrError(f"{shown(path)} does not hold {what}: its {name[:60]!r} is missing, or of another shape.")
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return network.eval()


def _public(path: Path, what: str) -> dict[str, Tensor]:
    """Reads the tensors of a public .pth."""
    refuse_stand_in(path, what)
    try:
        with torch.serialization.safe_globals(_SCALARS):
            state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("model_state_dict", state)
        return {str(key): value for key, value in state.items() if isinstance(value, Tensor)}
    except Exception as error:  # torch.load raises many types for a damaged file
        raise WsrError(f"{shown(path)} does not hold {what}: {str(error)[:200]}.") from None
