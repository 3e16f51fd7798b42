"""What needs a thread without an event loop: a browser's tests leave theirs running in the thread of the tests."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def call(function: Callable, *args: Any) -> Any:
    """The function's result, computed on a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def run(coroutine: Coroutine) -> Any:
    """`asyncio.run` on a thread of its own."""
    return call(asyncio.run, coroutine)
