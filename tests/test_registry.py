"""The class behind every registry, and the modules with additions that it imports."""

import importlib
import os
import sys
from dataclasses import dataclass

import pytest

from wsr import isolation, metrics, modalities
from wsr.errors import WsrError
from wsr.registry import Registry


@dataclass
class Fruit:
    name: str


def test_items_are_found_by_name_in_order_of_registration():
    fruits = Registry[Fruit]("fruit")
    _, fig = fruits.register(Fruit("pear")), fruits.register(Fruit("fig"))
    assert fruits.names() == ("pear", "fig") and fruits.named("fig") is fig
    with pytest.raises(WsrError, match="The fruit 'fig' is registered already"):
        fruits.register(fig)
    with pytest.raises(WsrError, match="Unknown fruit 'pera'.*pear"):
        fruits.named("pera")


def test_what_a_context_registers_is_gone_after_it_even_after_an_error():
    fruits = Registry[Fruit]("fruit")
    fruits.register(Fruit("pear"))
    with pytest.raises(ZeroDivisionError), fruits.restored():
        fruits.register(Fruit("fig"))
        assert fruits.names() == ("pear", "fig")
        1 / 0  # noqa: B018
    assert fruits.names() == ("pear",)


METRIC = """
from wsr.metrics import registry

assert "depth" not in registry.names()  # an addition may ask the registry while it is imported
registry.register(registry.Metric("depth", "D", min, "weights"))
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A folder that Python imports modules from, in this process and its children."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    with metrics.registry.registered():
        yield tmp_path


def test_a_module_outside_that_registers_something_is_imported_when_it_is_asked_for(modules, monkeypatch):
    (modules / "an_addition.py").write_text(METRIC)
    monkeypatch.setenv("WSR_ADDITIONS", "an_addition, ")
    assert "an_addition" not in sys.modules
    assert metrics.registry.named("depth").symbol == "D" and "depth" in metrics.registry.names()
    assert [metric.name for metric in metrics.registry.needing("weights")][-1] == "depth"


def test_an_addition_that_cannot_be_imported_is_named_until_it_can(modules, monkeypatch):
    monkeypatch.setenv("WSR_ADDITIONS", "a_broken_addition")
    for _ in range(2):
        with pytest.raises(WsrError, match="addition 'a_broken_addition' cannot be imported: ModuleNotFoundError"):
            metrics.registry.names()
    (modules / "a_broken_addition.py").write_text(METRIC)
    importlib.invalidate_caches()
    assert "depth" in metrics.registry.names()


def test_child_processes_and_installed_packages_have_additions_too(modules, monkeypatch):
    about = modules / "wsr_depth-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: wsr-depth\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[wsr.additions]\ndepth = depth_of_weights\n")
    (modules / "depth_of_weights.py").write_text(METRIC)
    monkeypatch.setenv("WSR_ADDITIONS", "tests.additions.in_child")
    children = isolation.Children()
    try:
        limits = isolation.Limits(seconds=60)
        assert "depth" in children.call(metrics.registry.names, limits=limits)
        assert "sound" in children.call(modalities.names, limits=limits)
    finally:
        children.close()
