"""A folder of tiny assets, made once for all tests of the app."""

import contextlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    import tiny_assets

    return tiny_assets.make(tmp_path_factory.mktemp("assets"))


@pytest.fixture(scope="session")
def _cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def _children():
    """Child processes know only the folders of their start, and starting one takes seconds, so all tests of the app
    share them. A test that has its children work in folders of its own ends them (`workers.close`)."""
    from app.shell import workers

    workers.close()
    yield
    workers.close()


@pytest.fixture(scope="module", autouse=True)
def _folders(tiny_folder, _cache, _children):
    """The tiny assets and one cache for all tests of the app."""
    with _set(tiny_folder, _cache):
        yield


@contextlib.contextmanager
def _set(assets, cache):
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(assets))
        changed.setenv("WSR_CACHE", str(cache))
        yield


@pytest.fixture(scope="session")
def served(tiny_folder, _cache):
    """Serves the app of this source tree over the tiny assets, for programs and for the scripts that measure a page: a
    server and its children take half a minute of a core to be ready. Yields its address and its process id."""
    from precompute import visitors

    with contextlib.ExitStack() as until_the_end:
        with _set(tiny_folder, _cache):
            server = until_the_end.enter_context(visitors.serving(ROOT))
        yield server


@pytest.fixture(scope="session")
def built(tiny_folder, _cache):
    """The page over the tiny assets, for tests that only look at it: building it takes two seconds."""
    from app import main

    with _set(tiny_folder, _cache):
        return main.build_app()


@pytest.fixture
def assets(tiny_folder):
    """The app's library over the tiny assets, with nothing cached in memory."""
    from wsr.memory import MEMORY

    MEMORY.drop()
    yield tiny_folder
    MEMORY.drop()


@pytest.fixture
def small(monkeypatch):
    """Makes previews without pauses, and everything decode at small sizes."""
    from dataclasses import replace

    from wsr.modalities import IMAGE, OCCUPANCY, Live

    sizes = {"live": Live(16, 0.0), "live_six": Live(16, 0.0), "live_samples": Live(12, 0.0)}
    images = replace(IMAGE.resolutions, **sizes, sample=16, large=24, opened=24)
    monkeypatch.setattr(IMAGE, "resolutions", images)
    sizes = {"live": Live(10, 0.0), "live_six": Live(10, 0.0), "live_samples": Live(8, 0.0), "final": 16}
    shapes = replace(OCCUPANCY.resolutions, **sizes, sample=12, large=12, opened=12)
    monkeypatch.setattr(OCCUPANCY, "resolutions", shapes)
