"""A network that a visitor has made, as tabs hand it to each other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.fields.representation import Representation
    from wsr.modalities import Modality


@dataclass
class Fitted:
    """A finished or stopped fit of this visitor, or a sample: its weights (1, p) and what decodes them. collection: the
    one that it belongs to, if that is known; otherwise the first whose weights mean the same."""

    label: str
    model: "Representation"
    weights: "Tensor"
    aspect: tuple[int, int]
    quality: float
    steps: int
    collection: str = ""

    @property
    def modality(self) -> "Modality":
        return self.model.modality
