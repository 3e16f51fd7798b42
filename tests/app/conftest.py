"""A folder of tiny assets, once for all tests of the app."""

import pytest


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    import tiny_assets

    return tiny_assets.make(tmp_path_factory.mktemp("assets"))


@pytest.fixture(scope="package", autouse=True)
def _folders(tiny_folder, tmp_path_factory):
    """The tiny assets, and one cache for all tests of the app: children know the folders that there were when they
    began, and a child costs seconds, so they serve many tests."""
    from app.shell import workers

    workers.close()
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(tiny_folder))
        changed.setenv("WSR_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
        workers.close()


@pytest.fixture
def assets(tiny_folder):
    """The app's library over the tiny assets, with nothing of them in memory."""
    from wsr.memory import MEMORY

    MEMORY.drop()
    yield tiny_folder
    MEMORY.drop()
