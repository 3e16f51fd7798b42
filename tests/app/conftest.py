"""A folder of tiny assets, once for all tests of the app."""

import pytest


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    import tiny_assets

    return tiny_assets.make(tmp_path_factory.mktemp("assets"))


@pytest.fixture
def assets(tiny_folder, tmp_path, monkeypatch):
    """The app's library over the tiny assets and an empty cache."""
    from app import library, workers

    monkeypatch.setenv("WSR_ASSETS", str(tiny_folder))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    forget(library)
    workers.close()  # children know the folders that there were when they began
    yield tiny_folder
    forget(library)
    workers.close()


def forget(module):
    for value in vars(module).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()
