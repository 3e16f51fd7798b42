"""A data set of drawn discs, with everything that `wsr` has to know of them."""

import numpy as np
from jaxtyping import Float

from wsr.data import Signals
from wsr.data.registry import DataSet
from wsr.errors import unknown_name
from wsr.modalities import IMAGE

SIZE, COUNT, CLASSES = 32, 24, ("red", "green", "blue")


def disc(i: int) -> Float[np.ndarray, "h w 3"]:
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    picture = np.ones((SIZE, SIZE, 3), np.float32)
    picture[(x - 0.02 * i + 0.2) ** 2 + y**2 < 0.1 + 0.01 * i] = np.eye(3)[i % 3]
    return picture


def load(part: str | None = None) -> Signals:
    if part not in (None, *CLASSES):
        raise unknown_name("colour of the toys", str(part), CLASSES)
    splits = ["heldout" if i % 4 == 0 else "train" for i in range(COUNT)]
    made = [IMAGE.signal(f"{CLASSES[i % 3]}-{i:05d}", disc(i), CLASSES[i % 3], splits[i]) for i in range(COUNT)]
    name = "toys" if part is None else f"toys/{part}"
    return Signals(name, IMAGE.dim, [signal for signal in made if part in (None, signal.cls)], IMAGE)


def label(item: str) -> str:
    return f"{item.partition('-')[0]} disc"


TOYS = DataSet(
    name="toys", title="Toys", modality=IMAGE, load=load, classes=CLASSES, place=2, first_class="green", label=label,
    liked=("blue-00008", "green-00004"), samples=("blue-00020",),
)  # fmt: skip
