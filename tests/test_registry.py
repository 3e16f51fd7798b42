"""The table behind every registry."""

from dataclasses import dataclass

import pytest

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
