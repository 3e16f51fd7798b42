"""The sub-command `wsr reproduce`."""

import importlib
import sys
from dataclasses import dataclass

from tyro.conf import Positional

from wsr.commands import PresetName
from wsr.errors import WsrError
from wsr.paths import checkout_dir


@dataclass
class Reproduce:
    """Make the paper's tables and figures, and every claim's verdict. `wsr reproduce list` shows the names.

    What exists is used, what is lacking is made, and what is stale is told. A killed run continues where it stopped.
    Example: `wsr reproduce table3 --dry-run`.
    """

    names: Positional[tuple[str, ...]] = ()
    """Tables, figures or experiments; `list` shows them, and which of them `all` leaves out."""
    preset: PresetName = "cpu"
    """Sizes and schedules: cpu, or those of the paper."""
    data: tuple[str, ...] = ()
    """Data sets that take the place of the usual ones, such as images:FFHQ meshes:ShapeNet."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    dry_run: bool = False
    """Print the plan with its times, and make nothing."""
    again: bool = False
    """Make anew what is stale."""

    def run(self) -> int:
        checkout = checkout_dir()
        if checkout is None or not (checkout / "precompute" / "reproduce.py").is_file():
            raise WsrError(
                "The experiments are not part of the installed engine: clone the repository of wsr, run "
                '`pip install -e ".[app,report,faces]"` in it, and start `wsr reproduce` there.'
            )
        if str(checkout) not in sys.path:
            sys.path.insert(0, str(checkout))
        try:
            # imported by name, because the engine does not depend on the experiments
            runner = importlib.import_module("precompute.reproduce")
        except ModuleNotFoundError as error:
            if error.name in ("matplotlib", "jinja2", "plotly"):
                raise WsrError(
                    f'The experiments need {error.name}: run `pip install -e ".[app,report,faces]"`.'
                ) from None
            raise
        return runner.reproduce(
            runner.Asked(
                names=self.names, preset=self.preset, data=self.data, device=self.device, dry_run=self.dry_run,
                again=self.again,
            )
        )  # fmt: skip
