"""Symmetry transformations do not change fields, canonical forms remove their effect, and alignment undoes them."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import tiny_config
from wsr import WsrError, representations
from wsr.fields.base import BaseField
from wsr.fields.lora import Adapter
from wsr.fields.registry import SYMMETRIES, named
from wsr.fields.representation import make_representation
from wsr.symmetry import (
    act,
    align,
    canonical,
    change_basis,
    element,
    move_neurons,
    permuted_copies,
    remask,
    violations,
)

CONFIG = tiny_config(2)
BASE = BaseField(CONFIG, seed=1).requires_grad_(False)
seeds = st.integers(0, 2**31 - 1)
names = st.sampled_from(representations)
kinds = st.sampled_from(SYMMETRIES)
acted = [(name, kind) for name in representations for kind in named(name).symmetries]


def fitted(name: str, seed: int, count: int = 3, rank: int | None = None):
    """A representation, and weights that resemble fits: its start plus a change."""
    model = make_representation(name, BASE, CONFIG, rank, mask_seed=seed % 1000)
    generator = torch.Generator().manual_seed(seed)
    start = model.initial(sigma=0.3, init_seed=seed)
    return model, start + 0.3 * start.std() * torch.randn(count, model.size, generator=generator)


def field(model, full: torch.Tensor) -> torch.Tensor:
    points = torch.rand(1, 64, 2, generator=torch.Generator().manual_seed(5)) * 2 - 1
    return model.unmasked().evaluate(full, points)


def assert_same_field(model, full, other):
    ours, theirs = field(model, full), field(model, other)
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max().clamp_min(1)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, case=st.sampled_from(acted))
def test_an_action_moves_the_weights_and_leaves_the_field(seed, case):
    name, kind = case
    model, weights = fitted(name, seed)
    full = model.layout.fill(weights)
    moved = act(model, full, kind, seed, strength=0.5)
    assert (moved - full).norm() > 1e-2 * full.norm()
    assert_same_field(model, moved, full)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, case=st.sampled_from(acted))
def test_masks_are_left_exactly_by_what_they_do_not_allow(seed, case):
    name, kind = case
    model, weights = fitted(name, seed, rank=4)
    moved = act(model, model.layout.fill(weights), kind, seed)
    assert not violations(model, model.layout.fill(weights)).any()
    assert violations(model, moved).any() != (kind in named(name).allowed)
    assert not violations(model, remask(model, moved)).any()


@settings(max_examples=30, deadline=None)
@given(seed=seeds, name=names)
def test_a_canonical_form_is_the_same_field_and_its_own_canonical_form(seed, name):
    model, weights = fitted(name, seed)
    once = canonical(model, weights)
    assert_same_field(model, model.layout.fill(once), model.layout.fill(weights))
    assert torch.allclose(canonical(model, once), once, rtol=1e-5, atol=1e-5 * float(once.abs().max()))
    assert torch.allclose(canonical(model, weights[:1]), once[:1], atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, name=st.sampled_from(["mlp", "lora", "mlora", "mlora-asym"]))
def test_a_canonical_form_forgets_what_was_done(seed, name):
    model, weights = fitted(name, seed)
    forgotten = {"lora": SYMMETRIES, "mlp": ("sign", "scale")}.get(name, ("sign", "scale"))
    for kind in forgotten:
        moved = model.layout.strip(act(model, model.layout.fill(weights), kind, seed, strength=0.5))
        wanted = canonical(model, weights)
        assert torch.allclose(canonical(model, moved), wanted, atol=2e-3 * float(wanted.abs().max()))


@settings(max_examples=30, deadline=None)
@given(seed=seeds, name=names)
def test_alignment_keeps_the_field_and_never_goes_away(seed, name):
    model, weights = fitted(name, seed)
    _, reference = fitted(name, seed + 1)
    moved = align(model, weights, reference)
    assert_same_field(model, model.layout.fill(moved), model.layout.fill(weights))
    before, after = (weights - reference).norm(dim=1), (moved - reference).norm(dim=1)
    assert (after <= before).all()
    assert torch.allclose(align(model, moved, reference), moved, atol=1e-4 * float(moved.abs().max()))


@settings(max_examples=30, deadline=None)
@given(seed=seeds, name=names)
def test_alignment_undoes_what_the_mask_allows(seed, name):
    model, weights = fitted(name, seed)
    for kind in named(name).allowed:
        if kind == "basis" or (name == "mlp" and kind == "scale"):
            continue  # weight matching permutes; it does not rescale
        moved = model.layout.strip(act(model, model.layout.fill(weights), kind, seed, strength=0.5))
        assert torch.allclose(align(model, moved, weights), weights, atol=1e-3 * float(weights.abs().max()))


def test_a_pair_with_an_empty_half_stays():
    model = make_representation("lora", BASE, CONFIG)
    start = model.initial()[None]  # the factor B is zero there
    assert_same_field(model, canonical(model, start), start)
    assert torch.isfinite(align(model, start, model.initial(init_seed=1)[None])).all()


def test_what_cannot_be_done_is_explained():
    model, weights = fitted("mlp", 0)
    with pytest.raises(WsrError, match="basis"):
        act(model, weights, "basis")
    order, factor = torch.arange(model.width).expand(4, -1), torch.full((4, model.width), 2.0)
    with pytest.raises(WsrError, match="change sign only"):
        move_neurons(model, weights, order, factor)
    assert not isinstance(model, Adapter)


@pytest.mark.parametrize("name", representations)
def test_permuted_copies_are_the_same_fields_each_in_its_own_order(name):
    model, weights = fitted(name, 3, rank=4 if named(name).needs_base else None)
    assert torch.equal(permuted_copies(model, weights, 1), weights)
    if "permutation" not in named(name).allowed:
        with pytest.raises(WsrError, match="mask"):
            permuted_copies(model, weights, 2)
        return
    found = permuted_copies(model, weights, 3, seed=1)
    assert found.shape == (9, model.size) and len(torch.unique(found, dim=0)) == 9
    for copy in found.split(3):
        assert_same_field(model, model.layout.fill(copy), model.layout.fill(weights))
    with pytest.raises(WsrError, match="once"):
        permuted_copies(model, weights, 0)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, case=st.sampled_from(acted), strength=st.sampled_from([0.0, 0.5, 1.7]))
def test_an_element_in_plain_numbers_is_what_the_action_applies(seed, case, strength):
    name, kind = case
    model, weights = fitted(name, seed)
    full, parts = model.layout.fill(weights), element(model, kind, seed)
    if isinstance(model, Adapter):
        for turn in (parts["left"], parts["right"]):
            assert torch.allclose(turn @ turn.mT, torch.eye(model.rank).expand_as(turn), atol=1e-5)
        g = parts["left"] @ torch.diag_embed(torch.exp(strength * parts["noise"])) @ parts["right"]
        moved = change_basis(model, full, g)
    else:
        moved = move_neurons(model, full, parts["order"], parts["sign"] * torch.exp(strength * parts["noise"]))
    assert torch.allclose(moved, act(model, full, kind, seed, strength), rtol=1e-3, atol=1e-4 * full.abs().max())
    with pytest.raises(WsrError, match="Unknown action"):
        element(model, "turn", seed)
