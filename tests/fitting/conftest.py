import pytest

from wsr.fields.base import set_compute_dtype


@pytest.fixture
def compute_in():
    """Sets the dtype of the matrix products for the rest of the test."""
    yield lambda dtype: set_compute_dtype("cpu", dtype)
    set_compute_dtype("cpu", None)
