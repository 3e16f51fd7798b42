"""The ids and splits of the faces.

An id is `face-` and six digits. The number alone decides the split, so that a different number of training faces does
not change the other splits: `face-900000` to `face-900499` are for validation, `face-950000` to `face-950499` for the
test, and all below 900,000 for training.
"""

from functools import partial

from wsr.data.faces.attributes import HAIR, attributes_of, choice
from wsr.data.faces.draw import draw_face
from wsr.data.signals import Signal, Signals
from wsr.data.splits import TEST, TRAIN, VALIDATION, Split
from wsr.errors import WsrError
from wsr.modalities import IMAGE

TRAIN_COUNT = 10_000  # by default
HELD_OUT_COUNT = 500  # faces in each of the other two splits
MOST_TRAIN = 900_000  # the ids of the other splits begin there
FIRST: dict[Split, int] = {TRAIN: 0, VALIDATION: 900_000, TEST: 950_000}
CLASSES = tuple(dict.fromkeys(HAIR.values()))


def face_id(number: int) -> str:
    return f"face-{number:06d}"


def load_faces(part: str | int | None = None) -> Signals:
    """Loads the faces as images (128, 128, 3): the training faces first, then 500 for validation and 500 for the test.
    A face is drawn when it is read.

    part: the number of training faces, also as text ("20000"), by default 10,000; or a class, which is a length of hair
    ("long"), to load only its faces among the 10,000 and the 1,000 others. WsrError for anything else.
    """
    cls = part if part in CLASSES else None
    count = TRAIN_COUNT if part is None or cls else _count(part)
    numbers = [(TRAIN, i) for i in range(count)]
    numbers += [(split, FIRST[split] + i) for split in (VALIDATION, TEST) for i in range(HELD_OUT_COUNT)]
    found = (_signal(face_id(number), split) for split, number in numbers)
    name = "faces" if part is None else f"faces/{part}"
    return Signals(name, IMAGE.dim, [signal for signal in found if cls in (None, signal.cls)], IMAGE)


def _count(part: str | int) -> int:
    text = str(part)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_TRAIN):
        raise WsrError(
            f"A part of the faces is a number of training faces, 1 to {MOST_TRAIN:,}, or a length of hair "
            f"({', '.join(CLASSES)}), not {text[:80]!r}."
        )
    return int(text)


def _signal(face: str, split: Split) -> Signal:
    reader, describe = partial(draw_face, face), partial(attributes_of, face)
    return Signal(face, HAIR[choice(face, "hair")], split, IMAGE.dim, reader, IMAGE, describe)
