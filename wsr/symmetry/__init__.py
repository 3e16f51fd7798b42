"""What may be done to weights while the field stays the same: actions, canonical forms, alignment (section 3.4)."""

from wsr.symmetry.actions import (
    act,
    acted,
    change_basis,
    move_neurons,
    permuted_copies,
    remask,
    violations,
)
from wsr.symmetry.alignment import align, matched
from wsr.symmetry.canonical import canonical, canonical_form

__all__ = [
    "act",
    "acted",
    "align",
    "canonical",
    "canonical_form",
    "change_basis",
    "matched",
    "move_neurons",
    "permuted_copies",
    "remask",
    "violations",
]
