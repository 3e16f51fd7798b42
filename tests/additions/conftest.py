"""Builds the page over tiny assets that were made while something is registered."""

import pytest


@pytest.fixture(scope="module")
def children(tmp_path_factory):
    """Registers in the page's child processes what `in_child` registers. Starting one takes seconds, so the tests of a
    file share them, and with them one cache, whose folder this returns: a child knows only those of its start."""
    from app.shell import workers

    workers.close()
    with pytest.MonkeyPatch.context() as changed:
        for pool in (workers.FITTING, workers.PREPARING):
            changed.setattr(pool, "preload", (*pool.preload, "tests.additions.in_child"))
        yield tmp_path_factory.mktemp("cache")
        workers.close()


@pytest.fixture
def on_page(monkeypatch, children):
    """Builds the page over a folder of assets, and returns the values that its widgets offer, by the widget's label;
    under "every " and the label those that each of these widgets offers."""
    from app import main
    from wsr.memory import MEMORY

    def build(folder) -> dict[str, set[str]]:
        monkeypatch.setenv("WSR_ASSETS", str(folder))
        monkeypatch.setenv("WSR_CACHE", str(children))
        MEMORY.drop()
        offered: dict[str, set[str]] = {}
        for block in main.build_app().blocks.values():
            values = {str(value) for _, value in getattr(block, "choices", None) or []}
            label = getattr(block, "label", None) or ""
            offered.setdefault(label, set()).update(values)
            offered.setdefault(f"every {label}", values).intersection_update(values)
        return offered

    yield build
    MEMORY.drop()
