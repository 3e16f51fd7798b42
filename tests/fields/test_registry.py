"""The properties that the registry states agree with the classes."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import wsr
from tests.conftest import tiny_config
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.registry import DEFAULT, SYMMETRIES, families, named, names, register, registered
from wsr.fields.representation import Representation, make_representation

EACH = pytest.mark.parametrize("name", names())


def test_the_six_are_there_in_their_order():
    assert wsr.representations == names() == ("mlp", "mlp-asym", "lora", "lora-asym", "mlora", "mlora-asym")
    assert families() == ("mlp", "lora", "mlora") and DEFAULT in names()


def test_it_needs_no_torch():
    program = "import sys, wsr; wsr.representations; import wsr.presets, wsr.commands; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"


@EACH
def test_every_name_has_a_class_a_label_and_a_colour_of_its_own(name):
    kind = named(name)
    assert kind.name == name and issubclass(kind.cls, Representation)
    others = [named(other) for other in names() if other != name]
    assert kind.label not in [one.label for one in others] and kind.colour not in [one.colour for one in others]


@EACH
def test_the_twin_without_a_mask_is_of_the_same_class_and_family(name):
    kind = named(name)
    twin = kind.unmasked
    assert not twin.masked and twin.unmasked is twin and (twin is kind) == (not kind.masked)
    assert twin.cls is kind.cls and twin.family == kind.family and twin.symmetries == kind.symmetries
    assert set(kind.allowed) <= set(kind.symmetries) <= set(SYMMETRIES) and set(kind.unresolved) <= set(kind.symmetries)
    assert twin.allowed == twin.symmetries and (kind.dash == "solid") == kind.masked


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(names()), dim=st.sampled_from((2, 3)), rank=st.integers(1, 16), width=st.integers(4, 20),
    channels=st.integers(16, 20), blocks=st.integers(1, 3),
)  # fmt: skip
def test_the_size_is_known_without_the_weights(name, dim, rank, width, channels, blocks):
    """The stated size is that of the representation once it is built, as are its kind and its learning rates."""
    config = replace(tiny_config(dim), channels=channels, blocks=blocks, mlp_width=width, mlp_asym_width=width + 1)
    model = make_representation(name, BaseField(config), config, rank)
    assert model.size == model.stored_size(named(name), config, rank) == len(model.initial())
    assert model.kind is named(name) and model.masked == model.layout.masked == model.kind.masked
    assert model.unmasked().kind is model.kind.unmasked and model.unmasked().size == model.layout.total
    assert (model.base is not None) == model.kind.needs_base
    assert bool((model.lr_multipliers(3.0) == 3).any()) == model.kind.two_rates


@EACH
def test_a_start_has_a_centre_where_the_registry_says_so(name, base, config):
    model = make_representation(name, base, config)
    changed = [(model.initial(**given) != model.initial()).any() for given in ({"init": "normal"}, {"sigma": 0.3})]
    assert changed == [named(name).needs_base, named(name).centred]


@EACH
def test_an_adapter_from_zero_mean_starts_begins_with_two_unrelated_pictures(name, base, config):
    """Additive adapters began with B = 0 there as well: two starts with a cosine of 0 that drew the same picture."""
    model = make_representation(name, base, config)
    points = torch.rand(1, 50, config.dim, generator=torch.Generator().manual_seed(0)) * 2 - 1
    starts = torch.stack([model.initial("normal", perturb=part) for part in (0.0, 1.0)])
    first, second = model.evaluate(starts, points)
    assert abs(torch.nn.functional.cosine_similarity(*starts, dim=0)) < 0.4 and not torch.allclose(first, second)


def test_what_cannot_be_registered_is_explained():
    with pytest.raises(WsrError, match="'mlora' is registered already"):
        register(named("mlora"))
    with pytest.raises(WsrError, match="Unknown representation 'mlorra': did you mean 'mlora'"):
        register(replace(named("mlora-asym"), name="new", twin="mlorra"))
    with pytest.raises(WsrError, match="Unknown symmetry 'rotation'"):
        register(replace(named("mlora"), name="new", symmetries=("rotation",)))
    with pytest.raises(RuntimeError), registered(replace(named("mlora"), name="new")):
        assert "new" in names()
        raise RuntimeError
    assert "new" not in names()
