"""A folder of tiny assets, once for all tests of the app."""

import pytest


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    import tiny_assets

    return tiny_assets.make(tmp_path_factory.mktemp("assets"))


@pytest.fixture
def assets(tiny_folder, tmp_path, monkeypatch):
    """The app's library over the tiny assets and an empty cache."""
    from app import workers
    from wsr.memory import MEMORY

    monkeypatch.setenv("WSR_ASSETS", str(tiny_folder))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    MEMORY.drop()
    workers.close()  # children know the folders that there were when they began
    yield tiny_folder
    MEMORY.drop()
    workers.close()
