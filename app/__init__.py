"""The app. It calls wsr and draws; nothing in wsr knows of it."""

import os

# Before anything imports gradio: no visitor's browser and no server of ours reports to anyone.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
