"""Logistic regression of weights, and ridge regression for numbers: of the weights as they are, or of their canonical
form. Each parameter is taken in units of its standard deviation, because the penalty weighs all of them equally."""

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.encoders.base import Encoder
from wsr.encoders.scaling import EntryScale
from wsr.symmetry import canonical

PENALTY = 1e-2  # C of logistic regression, as for the prepared weights of table 4
RIDGE = 1e3


class Linear(Encoder):
    """A linear function of the weights."""

    def learn(self, weights, wanted):
        weights = self.prepared(weights)
        self._scale = EntryScale(weights)
        scaled = self._scale(weights).double()
        # In an orthonormal basis of the span of all weights the penalty is the same, and there are fewer columns
        basis = torch.linalg.qr(scaled.T).Q  # (p, k)
        factors, offset = self._solved((scaled @ basis).numpy(), wanted.numpy())
        self._factors = (basis @ factors).float()  # (p, outputs)
        self._offset = offset.float()

    def _solved(self, spanned, wanted) -> tuple[Float[Tensor, "k outputs"], Float[Tensor, "outputs"]]:
        from sklearn.linear_model import LogisticRegression, Ridge

        categories = len(self.target.categories)
        found = LogisticRegression(C=PENALTY, max_iter=2000) if categories else Ridge(RIDGE)
        found.fit(spanned, wanted)
        factors = torch.from_numpy(found.coef_).reshape(-1, spanned.shape[1]).T
        offset = torch.as_tensor(found.intercept_).double().reshape(-1)
        if categories == 2:  # one number says how much more likely the second of two is
            return torch.cat([0 * factors, factors], 1), torch.cat([0 * offset, offset])
        return factors, offset

    def prepared(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        """Returns the weights that it is a linear function of."""
        return weights

    def scores(self, weights):
        return self.features(weights) @ self._factors + self._offset

    def features(self, weights):
        return self._scale(self.prepared(weights))

    @property
    def parameters(self):
        return self._factors.numel() + self._offset.numel()


class CanonicalLinear(Linear):
    """A linear function of the weights' canonical form."""

    def prepared(self, weights):
        return canonical(self.model, weights)
