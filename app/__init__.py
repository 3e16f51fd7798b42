"""The app: a Gradio page over the engine `wsr`, which does not import it."""

import os

from app.shell import gradio_patches
from wsr.paths import use_writable_caches

# Before anything imports gradio: no visitor's browser and no server of ours reports to anyone.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
# Also before gradio: the folders where it and other libraries keep files must be writable.
use_writable_caches()
# After every answer gradio makes a table of the last 10,000 with pandas, for a page of statistics that we do not serve.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "50")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
gradio_patches.write_no_stubs()
