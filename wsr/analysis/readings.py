"""What weights show of their attributes, read off what they decode to and not off the weights.

An edit in weight space claims to change an attribute. Whether it does is not asked of the weights, which would agree
with themselves. Where the data set can measure an attribute again, as lengths of a shape, it is measured on the decoded
instance. Any other attribute is read by a linear model of the field's values at fixed points: ridge regression for
numbers, logistic regression for categories, trained on the training fits.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.attributes import LEAST, NONE, attributes_of, of_class, with_classes
from wsr.data.registry import find
from wsr.errors import WsrError, unknown_name
from wsr.render.decode import decode, evaluate_in_chunks
from wsr.zoo.zoo import Zoo

MOST = 800  # training fits that are decoded
POINTS = 4096  # at which fields are compared
COMPONENTS = 64  # principal components of the fields' values, which the models see
AT_ONCE = 16


class Readings:
    """Reads attributes off what weights of a zoo decode to. Made from its good training fits, of one class or of all.

    attributes: a row for each instance, by its id; by default as for `wsr.directions`. resolution: at which instances
    are decoded to be measured, by default the zoo's. points: about how many of a field are compared. WsrError if there
    are no attributes.
    """

    def __init__(
        self, zoo: Zoo, attributes: pd.DataFrame | None = None, cls: str | None = None, resolution: int | None = None,
        points: int = POINTS,
    ):  # fmt: skip
        fits = zoo.good("train")
        fits = fits if cls is None else of_class(fits, cls)
        fits = fits[:: -(-len(fits) // MOST)]
        ids = fits["id"].tolist()
        table = attributes_of(zoo, ids) if attributes is None else attributes.reindex(ids)
        self._table = table if cls is not None else with_classes(table, fits)
        self._zoo, self._ids, self.resolution, self._points = zoo, ids, resolution or zoo.resolution, points
        dataset, _ = find(zoo.meta["dataset"])
        self._measures = dict(dataset.measured(cls)) if dataset else {}
        self._models: dict[str, Callable[[Float[np.ndarray, "n c"]], np.ndarray]] = {}
        self._space: tuple[Any, Float[np.ndarray, "n c"]] | None = None

    @property
    def measured(self) -> list[str]:
        """Attributes that are measured on decoded instances."""
        return [name for name in self._measures if name in self._table]

    def measure(self, weights: Float[Tensor, "n p"]) -> pd.DataFrame:
        """Decodes weights and measures all attributes in `measured`: a row for each weight; NaN where it decodes to
        nothing."""
        return self.measure_decoded(decode(self._zoo.representation, weights, self.resolution))

    def measure_decoded(self, shown: Any) -> pd.DataFrame:
        """Does the same for instances that are decoded already."""
        return pd.DataFrame([{name: self._measures[name](one) for name in self.measured} for one in shown])

    def readable(self, names: Iterable[str]) -> list[str]:
        """Returns the names that can be read, in their order."""
        return [name for name in names if name in self.measured or self._can(name)]

    def _can(self, name: str) -> bool:
        try:
            self._models[name] = self._models.get(name) or self._model(name)
        except WsrError:
            return False
        return True

    def read(self, weights: Float[Tensor, "n p"], name: str) -> Float[np.ndarray, "n"]:
        """Reads one attribute of each weight: the value of a number, or, for the name of a direction to a category's
        value, such as "glasses: round", the probability of that value. WsrError for an unknown name."""
        return self.table(weights, [name])[name].to_numpy()

    def table(self, weights: Float[Tensor, "n p"], names: Iterable[str]) -> pd.DataFrame:
        """Reads several attributes of each weight, which is decoded once for all of them: a row for each weight, a
        column for each name. Values and errors as for `read`."""
        names, found = list(names), {}
        if measured := [name for name in names if name in self.measured]:
            found |= self.measure(weights)[measured]
        if others := [name for name in names if name not in self.measured]:
            self._models |= {name: self._model(name) for name in others if name not in self._models}
            features = self._features()[0].transform(self._values(weights))
            found |= {name: self._models[name](features) for name in others}
        return pd.DataFrame(found, index=range(len(weights)))[names]

    def certainty(self, weights: Float[Tensor, "n p"]) -> pd.DataFrame:
        """Returns how sure a classifier is of each category: a row for each weight, with the probability of the value
        that it finds most likely. Weights that decode to something between two values, such as half a pair of glasses,
        leave it unsure. Values of fewer than LEAST training fits are left out, and so are categories with a single
        value."""
        from sklearn.linear_model import LogisticRegression

        space, features = self._features()
        seen, found = space.transform(self._values(weights)), {}
        for attribute, column in self._table.items():
            if pd.api.types.is_numeric_dtype(column):
                continue
            counts = column.value_counts()
            known = column.isin(counts.index[counts >= LEAST]).to_numpy()
            if column[known].nunique() > 1:
                fitted = LogisticRegression(C=0.1, max_iter=2000).fit(features[known], column[known].astype(str))
                found[attribute] = fitted.predict_proba(seen).max(1)
        return pd.DataFrame(found)

    def _features(self) -> tuple[Any, Float[np.ndarray, "n c"]]:
        if self._space is None:
            from sklearn.decomposition import PCA
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler

            values = self._values(self._zoo.weights(self._ids))
            count = min(COMPONENTS, len(values) - 1, values.shape[1])
            space = make_pipeline(PCA(count, svd_solver="randomized", random_state=0), StandardScaler())
            self._space = space, space.fit_transform(values)
        return self._space

    def _values(self, weights: Float[Tensor, "n p"]) -> Float[np.ndarray, "n v"]:
        """Evaluates the fields at points on a regular grid. Logits of shapes are squashed: far from the surface their
        size says nothing."""
        model = self._zoo.representation
        side = round(self._points ** (1 / model.dim))
        axes = [torch.linspace(-1 + 1 / side, 1 - 1 / side, side)] * model.dim
        points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(1, -1, model.dim)
        parts = [evaluate_in_chunks(model, rows, points) for rows in weights.split(AT_ONCE)]
        return torch.cat(parts).flatten(1).tanh().cpu().numpy()

    def _model(self, name: str) -> Callable[[Float[np.ndarray, "n c"]], np.ndarray]:
        from sklearn.linear_model import LogisticRegression, Ridge

        attribute, _, value = name.partition(": ")
        if attribute not in self._table:
            raise unknown_name("attribute", attribute, [str(one) for one in self._table])
        column = self._table[attribute]
        known = column.notna().to_numpy()
        _, features = self._features()
        if pd.api.types.is_numeric_dtype(column):
            return Ridge(1.0).fit(features[known], column[known].to_numpy(float)).predict
        # the name of a category itself means any value but `none`
        texts = column[known].astype(str)  # truth values, and numbers that are categories, as well
        has = (texts == value if value else texts != NONE).to_numpy()
        if min(has.sum(), (~has).sum()) < LEAST:
            raise WsrError(
                f"{name!r} cannot be read: of the training fits {int(has.sum())} have it and {int((~has).sum())} have "
                f"not, and {LEAST} of each are needed."
            )
        fitted = LogisticRegression(C=0.1, max_iter=2000, class_weight="balanced").fit(features[known], has)
        return lambda asked: fitted.predict_proba(asked)[:, 1]
