"""Symmetries: changes of the weights that leave the field unchanged. Group actions, canonical forms, and alignment of
two fits (section 3.4)."""

from wsr.symmetry.actions import (
    act,
    acted,
    change_basis,
    element,
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
    "element",
    "matched",
    "move_neurons",
    "permuted_copies",
    "remask",
    "violations",
]
