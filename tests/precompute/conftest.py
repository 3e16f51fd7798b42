import pytest


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """Empty folders of assets and of the cache. Returns the former, which does not exist yet."""
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "assets"


@pytest.fixture
def small(nothing, monkeypatch):
    """Runs experiments with small sizes (`tests.precompute.small`)."""
    from tests.precompute.small import shrink  # imports every experiment

    return shrink(monkeypatch)
