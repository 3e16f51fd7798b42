"""A limit on the memory that reading a file may allocate."""

import resource

import pytest

MORE = 4 * 2**30  # bytes beyond what is mapped when a test begins


@pytest.fixture
def bounded():
    """Limits memory, so that a test fails if a reader allocates what a file merely states."""
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MORE, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
