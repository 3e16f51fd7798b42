"""The sub-command `wsr app`."""

from dataclasses import dataclass

from wsr.commands import OK


@dataclass
class App:
    """Serve the app. Example: `wsr app --port 7860`."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 7860
    """The port to listen on."""

    def run(self) -> int:
        import importlib

        # by name: the engine does not know the app, this command only starts it
        importlib.import_module("app.main").launch(self.host, self.port)
        return OK
