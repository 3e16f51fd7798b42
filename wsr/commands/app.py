"""The sub-command `wsr app`."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path

from wsr.commands import OK
from wsr.errors import WsrError
from wsr.paths import checkout_dir

INSTALL = "`pip install -e \".[app]\"`"


@dataclass
class App:
    """Serve the page. Example: `wsr app --port 7860`."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 7860
    """The port to listen on."""

    def run(self) -> int:
        checkout = checkout_dir()
        if checkout is None or not (checkout / "app" / "main.py").is_file():
            raise WsrError(
                "The page is not part of the installed engine: clone the repository of wsr, run "
                f"{INSTALL} in it, and start `wsr app` there."
            )
        if str(checkout) not in map(_resolved, sys.path):
            sys.path.insert(0, str(checkout))
        try:
            # imported by name, because the engine does not depend on the page
            page = importlib.import_module("app.main")
        except ModuleNotFoundError as error:
            if error.name in ("gradio", "plotly"):
                raise WsrError(f"The page needs {error.name}: run {INSTALL} in {str(checkout)!r}.") from None
            raise
        page.launch(self.host, self.port)
        return OK


def _resolved(entry: str) -> str:
    return str(Path(entry).resolve())
