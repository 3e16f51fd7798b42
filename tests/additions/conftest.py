"""Builds the page over tiny assets that were made while something is registered."""

import pytest


@pytest.fixture
def children(monkeypatch):
    """Registers in the page's child processes what `in_child` registers."""
    from app.shell import workers

    workers.close()
    for pool in (workers.FITTING, workers.PREPARING):
        monkeypatch.setattr(pool, "preload", (*pool.preload, "tests.additions.in_child"))
    yield
    workers.close()


@pytest.fixture
def on_page(tmp_path, monkeypatch, children):
    """Builds the page over a folder of assets, and returns the values that its widgets offer, by the widget's label."""
    from app import main
    from wsr.memory import MEMORY

    def build(folder) -> dict[str, set[str]]:
        monkeypatch.setenv("WSR_ASSETS", str(folder))
        monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
        MEMORY.drop()
        offered: dict[str, set[str]] = {}
        for block in main.build_app().blocks.values():
            values = {str(value) for _, value in getattr(block, "choices", None) or []}
            offered.setdefault(getattr(block, "label", None) or "", set()).update(values)
        return offered

    yield build
    MEMORY.drop()
