"""The coordinates in which audits measure distances between weights, and the nearest training weights and lines in
them."""

import itertools
from functools import cached_property

import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from wsr.fields.lora import Adapter
from wsr.fields.representation import Representation
from wsr.symmetry import canonical

NEXT = 5  # number of next training weights, or lines, that the nearest one is compared with
MOST_LINED, NEAR = 1024, 256  # of more training weights than the first, only lines from the nearest are looked at
MOST_ORDERED = 5  # up to this rank all orders are tried; above it, an assignment problem is solved for each pair


class StandardizedSpace:
    """The space of training weights (n, p), raw or in canonical form, with each coordinate in units of its standard
    deviation.

    known: the standardised training weights; mean, std: of each coordinate. Distances are in units of √p. Raw
    coordinates need no model.
    """

    def __init__(self, model: Representation | None, training: Float[Tensor, "n p"], canonically: bool):
        self.model, self.canonically = model, canonically
        vectors = self._vectors(training)
        self.mean, self.std = vectors.mean(0), vectors.std(0).clamp_min(1e-6)
        self.known = self._standardized(vectors)  # (n, p)
        # canonical forms may still differ by a permutation of rank components
        self.free = canonically and isinstance(model, Adapter) and "permutation" in model.kind.allowed

    @cached_property
    def products(self) -> Float[Tensor, "n n"]:
        """The Gram matrix of the training weights, which only lines need."""
        return self.known @ self.known.T

    def nearest(
        self, samples: Float[Tensor, "m p"], own: Int[Tensor, " m"] | None = None
    ) -> tuple[Float[Tensor, " m"], Int[Tensor, " m"], Float[Tensor, " m"]]:
        """Returns the distance of each sample to the nearest training weight, the row of that weight, and the ratio of
        that distance and the mean distance to the next ones. own: for samples that are themselves training weights,
        their rows, which are left out."""
        vectors = self._vectors(samples)
        if self.free:
            squares = self._permuted(vectors)
        else:
            squares = torch.cdist(self._standardized(vectors), self.known).square()
        if own is not None:
            squares[torch.arange(len(own)), own] = torch.inf
        found = squares.topk(min(1 + NEXT, len(self.known) - (own is not None)), largest=False)
        away = (found.values.clamp_min(0) / self.known.shape[1]).sqrt()  # (m, k), rising
        return away[:, 0], found.indices[:, 0], _ratio(away)

    def between(
        self, samples: Float[Tensor, "m p"]
    ) -> tuple[Float[Tensor, " m"], Int[Tensor, "m 2"], Float[Tensor, " m"]]:
        """Returns the same for lines between two training weights: the distance to the nearest line, the rows of its
        ends, and the ratio. Computed from Gram matrices, without forming any point on a line. Of more than MOST_LINED
        training weights, one end of a line is among the NEAR nearest to the sample: a sample on a line is at most half
        the line's length away from one of its ends, and all pairs of ten thousand would take seconds a sample."""
        x = self.coordinates(samples)
        own, across, norms = x.square().sum(1), x @ self.known.T, self.products.diagonal()
        few, everything, lines, pairs = len(norms) <= MOST_LINED, torch.arange(len(norms), device=x.device), [], []
        all_lengths = self._lengths(everything) if few else None
        for square, product in zip(own, across, strict=True):
            to = square + norms - 2 * product  # (n,): |x − z_j|²
            near = everything if few else to.topk(NEAR, largest=False).indices  # (k,): the rows i
            length = all_lengths if few else self._lengths(near)
            along = product[near, None] - product - self.products[near] + norms  # (k, n): (x − z_j)·(z_i − z_j)
            part = (along / length).clamp(0, 1)
            squares, ends = _disjoint(to - 2 * part * along + part.square() * length, near)
            lines.append(squares)
            pairs.append(ends)
        found = (torch.tensor(lines, device=x.device).clamp_min(0) / x.shape[1]).sqrt()  # (m, k), rising
        return found[:, 0], torch.tensor(pairs, device=x.device), _ratio(found)

    def _lengths(self, rows: Int[Tensor, " k"]) -> Float[Tensor, "k n"]:
        """Returns the squared distances |z_i − z_j|² of these training weights from all."""
        norms = self.products.diagonal()
        return (norms[rows, None] + norms - 2 * self.products[rows]).clamp_min(1e-9)

    def coordinates(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        """Converts weights to coordinates in this space."""
        return self._standardized(self._vectors(weights))

    def _vectors(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        return canonical(self.model, weights.float()) if self.canonically else weights.float()

    def _standardized(self, vectors: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        return (vectors - self.mean) / self.std

    def _permuted(self, vectors: Float[Tensor, "m p"]) -> Float[Tensor, "m n"]:
        """Returns squared distances to the training weights, with the rank components of every layer in the order that
        fits best."""
        rank = self.model.rank
        known = self._slots(self.known)  # (l, n, r, 2c)
        mean, std = self._slots(self.mean[None])[:, 0], self._slots(self.std[None])[:, 0]  # (l, r, 2c)
        x = self._slots(vectors)  # (l, m, r, 2c), not standardised yet, because that depends on the position
        cost = torch.stack(
            [torch.stack([torch.cdist((x[:, :, i] - mean[:, None, j]) / std[:, None, j], known[:, :, j]).square()
                          for j in range(rank)], -1) for i in range(rank)], -2,
        )  # fmt: skip  (l, m, n, r, r): component i of the sample at position j
        if rank > MOST_ORDERED:
            return torch.tensor([[_assigned(layers) for layers in rows] for rows in cost.permute(1, 2, 0, 3, 4)])
        orders = itertools.permutations(range(rank))
        sums = torch.stack([sum(cost[..., i, j] for i, j in enumerate(order)) for order in orders])
        return sums.amin(0).sum(0)

    def _slots(self, vectors: Float[Tensor, "n p"]) -> Float[Tensor, "l n r c2"]:
        a, b = self.model.pairs(self.model.layout.unmasked().fill(vectors))
        return torch.cat([a, b.mT], -1)


def _disjoint(away: Float[Tensor, "k n"], near: Int[Tensor, " k"]) -> tuple[list[float], tuple[int, int]]:
    """Returns the squared distances of the nearest lines, no two of which share an end, and the ends of the first.
    away: from the line between the weights near[i] and j; it is changed."""
    grid, rows = away.cpu().numpy(), near.cpu().numpy()  # where single entries are read and written ten times as fast
    squares, first = [], (0, 0)
    for number in range(min(1 + NEXT, (grid.shape[1] + 1) // 2)):
        row, end = divmod(int(grid.argmin()), grid.shape[1])
        ends = int(rows[row]), end
        squares.append(float(grid[row, end]))
        first = first if number else ends
        for end in ends:
            grid[rows == end], grid[:, end] = torch.inf, torch.inf
    return squares, first


def _assigned(cost: Float[Tensor, "l r r"]) -> float:
    """Returns the smallest cost over all orders of each layer's rank components, summed over the layers."""
    layers = cost.double().cpu().numpy()
    return float(sum(layer[linear_sum_assignment(layer)].sum() for layer in layers))


def _ratio(away: Float[Tensor, "m k"]) -> Float[Tensor, " m"]:
    """Divides the first distance by the mean of the others."""
    return away[:, 0] / away[:, 1:].mean(1).clamp_min(1e-9)
