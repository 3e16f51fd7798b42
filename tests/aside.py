"""Runs code in a thread without an event loop: browser tests leave theirs running in the main thread."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def call(function: Callable, *args: Any) -> Any:
    """Returns the function's result, computed in a thread of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


def run(coroutine: Coroutine) -> Any:
    """Runs `asyncio.run` in a thread of its own."""
    return call(asyncio.run, coroutine)
