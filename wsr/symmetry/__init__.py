"""What may be done to weights while the field stays the same: actions, canonical forms, alignment (section 3.4)."""

from wsr.symmetry.actions import (
    KEEPS_MASK,
    KINDS,
    act,
    change_basis,
    kinds_of,
    move_neurons,
    permuted_copies,
    remask,
    violations,
)
from wsr.symmetry.alignment import align
from wsr.symmetry.canonical import canonical

__all__ = [
    "KEEPS_MASK",
    "KINDS",
    "act",
    "align",
    "canonical",
    "change_basis",
    "kinds_of",
    "move_neurons",
    "permuted_copies",
    "remask",
    "violations",
]
