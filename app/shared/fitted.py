"""A network that a visitor has made, in the form in which tabs exchange it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.fields.representation import Representation
    from wsr.modalities import Modality


@dataclass
class Fitted:
    """A finished or stopped fit of this visitor, or a sample: its weights (1, p) and the representation that decodes
    them. collection: the one that it belongs to, if known; by default the first whose weights have the same layout."""

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
