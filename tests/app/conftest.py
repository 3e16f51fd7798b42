"""A folder of tiny assets, made once for all tests of the app."""

import pytest


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
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(tiny_folder))
        changed.setenv("WSR_CACHE", str(_cache))
        yield


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
