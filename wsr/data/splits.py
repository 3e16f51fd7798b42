"""The splits of a data set, and which signals a query for one of them returns.

train: bases, zoo statistics and generators learn from it.
validation: nothing is trained on it. Every choice is made on it: learning rates, samplers, guidance, when to stop.
test: only final tables read it, through `precompute.final` (tests/precompute/test_final.py).
heldout: the name of `validation` in data sets and zoos that have two splits only. A query for either name returns both,
so that code written for two splits never reads `test`.
"""

from typing import Literal, get_args

from wsr.errors import unknown_name

Split = Literal["train", "validation", "test", "heldout"]
SPLITS: tuple[Split, ...] = get_args(Split)
TRAIN, VALIDATION, TEST, HELDOUT = SPLITS


def names_of(split: str) -> tuple[str, ...]:
    """Returns the names of a split in data sets and in the indices of zoos. WsrError for an unknown split."""
    if split not in SPLITS:
        raise unknown_name("split", split, SPLITS)
    return (VALIDATION, HELDOUT) if split in (VALIDATION, HELDOUT) else (split,)
