"""The splits of a data set, and which signals a query for one of them returns.

train: what bases, zoo statistics and generators learn from.
validation: nothing is trained on it, and every choice is made by it: rates, samplers, guidance, when to stop.
test: read by final tables alone, through `precompute.final` (tests/precompute/test_final.py).
heldout: what `validation` is called in data sets and zoos of two splits. A query for either name returns both, so that
code written for two splits never reads `test`.
"""

from typing import Literal, get_args

from wsr.errors import unknown_name

Split = Literal["train", "validation", "test", "heldout"]
SPLITS: tuple[Split, ...] = get_args(Split)
TRAIN, VALIDATION, TEST, HELDOUT = SPLITS


def names_of(split: str) -> tuple[str, ...]:
    """Returns the names under which a split stands in data sets and in the indices of zoos. WsrError for an unknown
    one."""
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    return (VALIDATION, HELDOUT) if split in (VALIDATION, HELDOUT) else (split,)
