"""The sub-commands of `wsr`, one file per family, and what they share. torch is not loaded before a command runs."""

from typing import Literal

from rich.console import Console

from wsr.fields.registry import names

OK, FAILED, MISTAKE, STOPPED = 0, 1, 2, 130  # exit codes: done, a check failed, wrong input, stopped by the user

RepresentationName = Literal[names()]
PresetName = Literal["cpu", "paper"]
console = Console()
