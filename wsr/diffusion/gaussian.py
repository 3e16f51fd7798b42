"""The part of denoising that needs no network: the best linear guess of a weight from a noisy one.

Weights of a zoo are far from white: a hundred directions hold a third of their variance, and classes have means of
their own. A network on two cores spends thousands of steps on finding that; given it, it learns what is not normal.
This is the preconditioning of Karras et al. (2022), with covariances in place of one variance.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

PRIOR = 10  # weights that the covariance over all classes counts for in that of one


class GaussianGuess(nn.Module):
    """E[x | x_t, class] if the standardised weights of each class were normal, with their own mean and, along k common
    directions, their own covariance. The last class, of weights whose class is not told, is all of them.

    kept (T,): the share ᾱ of the signal at each time."""

    def __init__(self, size: int, classes: int, components: int, kept: Float[Tensor, " t"]):
        super().__init__()
        self.register_buffer("kept", kept, persistent=False)
        self.register_buffer("mean", torch.zeros(classes + 1, size))
        self.register_buffer("basis", torch.zeros(components, size))
        # a class's own axes in the basis, and the variance along them
        self.register_buffer("turn", torch.zeros(classes + 1, components, components))
        self.register_buffer("variance", torch.zeros(classes + 1, components))
        self.register_buffer("rest", torch.zeros(()))  # variance outside the basis, summed

    @torch.no_grad()
    def fit(self, data: Float[Tensor, "n p"], labels: Int[Tensor, " n"]) -> None:
        """From standardised weights and their classes."""
        components = len(self.basis)
        _, values, basis = torch.linalg.svd(data, full_matrices=False)
        self.basis.copy_(basis[:components])
        self.rest.copy_(values[components:].square().sum() / len(data))
        along = data @ self.basis.T  # (n, k); its mean is 0
        common = along.T @ along / len(data)
        for cls in range(len(self.mean)):
            own = (labels == cls).nonzero()[:, 0]
            covariance = common
            if len(own):
                self.mean[cls] = data[own].mean(0)
                apart = along[own] - along[own].mean(0)
                covariance = (apart.T @ apart + PRIOR * common) / (len(own) + PRIOR)
            variance, turn = torch.linalg.eigh(covariance)
            self.variance[cls], self.turn[cls] = variance.clamp_min(0), turn.T

    def forward(
        self, x: Float[Tensor, "n p"], time: Float[Tensor, " n"], label: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n p"], Float[Tensor, "n 1"]]:
        """The guess, and the standard deviation of what it leaves open."""
        kept = self.kept[time.long()][:, None]  # (n, 1)
        mean, turn, variance = self.mean[label], self.turn[label], self.variance[label]
        apart = (x - kept.sqrt() * mean) @ self.basis.T  # (n, k)
        total = kept * variance + 1 - kept
        own = torch.bmm(turn, apart[:, :, None])[:, :, 0] * (kept.sqrt() * variance / total)
        guess = mean + torch.bmm(own[:, None], turn)[:, 0] @ self.basis
        left = (variance * (1 - kept) / total).sum(1, keepdim=True) + self.rest
        return guess, (left / x.shape[1]).sqrt()
