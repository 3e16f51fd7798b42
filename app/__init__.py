"""The app. It calls wsr and draws; nothing in wsr knows of it."""

import inspect
import os

from wsr.cleanup import temporary_folder
from wsr.paths import use_writable_caches

# Before anything imports gradio: no visitor's browser and no server of ours reports to anyone.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Before it, too: where it and others keep files must be writable, and what visitors send must not outlast the server.
use_writable_caches()
if "GRADIO_TEMP_DIR" not in os.environ:
    os.environ["GRADIO_TEMP_DIR"] = str(temporary_folder("wsr-uploads-"))

_getfile = inspect.getfile


def _getfile_but_of_components(thing):
    """gradio writes a type stub beside the source of every component class, each time it is imported: half of the three
    seconds that `import gradio` takes, and files in our tree. It leaves out classes whose source cannot be found."""
    if type(thing).__name__ == "ComponentMeta":
        raise OSError("gradio components keep their source to themselves")
    return _getfile(thing)


inspect.getfile = _getfile_but_of_components
