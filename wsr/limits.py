"""Limits on a piece of work, and the sentences for what does not keep to them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wsr.errors import WsrError

log = logging.getLogger(__name__)

MB = 2**20


class Stopped(WsrError):
    """Raised when the work ended because the caller asked for it."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on one piece of work.

    seconds: wall time, counted from when a ready child receives the work; None for no limit. memory: bytes of address
    space that the child may use beyond those it has already. what: subject of the error's sentence, as in "'me.png'".
    stopped: called every few hundredths of a second; once it returns True the work ends and `Stopped` is raised.
    """

    seconds: float | None
    memory: int | None = None
    what: str = "This"
    stopped: Callable[[], bool] | None = None

    def late(self, seconds: float) -> WsrError:
        """The error of work that took more than this many seconds."""
        return WsrError(f"{self.what} took more than {seconds:g} s and was given up.")

    def error(self, kind: str, value: Any) -> WsrError:
        """The error of work that a child ended before its end: kind is "memory", "late" or "error", and the value of
        an error is a WsrError, or its line and its traceback."""
        if kind == "late":
            return self.late(self.seconds)
        if kind == "memory":
            allowed = f"{self.memory / MB:,.0f} MB of memory" if self.memory else "memory than there is"
            return WsrError(f"{self.what} needs more than {allowed} and was given up.")
        if isinstance(value, WsrError):
            return value
        log.debug("in a child process: %s", value[1])
        return WsrError(f"{self.what} failed: {value[0]}.")
