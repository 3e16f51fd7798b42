"""The command `wsr` with its sub-commands. Each is a dataclass: its fields are the options, its docstring the help
text."""

import sys
from typing import Annotated

from rich.console import Console
from tyro.conf import subcommand

from wsr.cleanup import TERMINATED, Terminated, end_on_sigterm
from wsr.commands import MISTAKE, STOPPED
from wsr.commands.app import App
from wsr.commands.base import Base
from wsr.commands.bench import Bench
from wsr.commands.data import Data
from wsr.commands.doors import Export, Import, Pull, Push
from wsr.commands.encoder import Encoder
from wsr.commands.fit import Fit
from wsr.commands.generate import AuditCommand, Diffuse, Evaluate, Sample
from wsr.commands.options import parsed
from wsr.commands.render import Render
from wsr.commands.reproduce import Reproduce
from wsr.commands.zoo import ZooCommand
from wsr.disk_errors import disk_error, place_error
from wsr.errors import WsrError
from wsr.paths import use_writable_caches

Command = (
    Annotated[Data, subcommand("data")]
    | Annotated[Base, subcommand("base")]
    | Annotated[Encoder, subcommand("encoder")]
    | Annotated[Fit, subcommand("fit")]
    | Annotated[ZooCommand, subcommand("zoo")]
    | Annotated[Import, subcommand("import")]
    | Annotated[Export, subcommand("export")]
    | Annotated[Push, subcommand("push")]
    | Annotated[Pull, subcommand("pull")]
    | Annotated[Render, subcommand("render")]
    | Annotated[Diffuse, subcommand("diffuse")]
    | Annotated[Sample, subcommand("sample")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[AuditCommand, subcommand("audit")]
    | Annotated[Reproduce, subcommand("reproduce")]
    | Annotated[App, subcommand("app")]
    | Annotated[Bench, subcommand("bench")]
)


DESCRIPTION = "A weight-space laboratory: signals become small neural fields, and their weights become data."


def main(arguments: list[str] | None = None) -> int:
    """Runs a sub-command. Exit codes: 0 done, 1 a check failed, 2 wrong input or no room to write, 130 interrupted by
    Ctrl-C, 143 ended by SIGTERM."""
    end_on_sigterm()
    use_writable_caches()
    try:
        return parsed(Command, arguments, DESCRIPTION).run()
    except Terminated:
        Console(stderr=True).print("Asked to end.")
        return TERMINATED
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped.")
        return STOPPED
    except Exception as error:
        known = error if isinstance(error, WsrError) else disk_error(error) or place_error(error)
        if known is None:
            raise
        # one line, however narrow the terminal: a sentence that is cut cannot be copied or searched for
        Console(stderr=True).print(f"wsr: {known}", style="red", markup=False, highlight=False, soft_wrap=True)
        return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
