"""Calls handlers without a page: each widget is replaced by its name, so that returned values can be read by name."""

from dataclasses import MISSING, fields

from app.shell.jobs import Job
from app.tabs.atlas.widgets import AtlasTab, Bringing, Projecting
from app.tabs.audit.handlers import Bringing as Samples


def by_name(widgets: type, mark: str = ""):
    """Returns a tab's dataclass in which each widget is replaced by its name after a mark."""
    named = {field.name: mark + field.name for field in fields(widgets) if field.default is MISSING}
    if "job" in named:
        named["job"] = Job(f"{widgets.__name__}-test", f"{mark}start", f"{mark}halt", f"{mark}state", "another")
    if "projecting" in named:
        named["projecting"] = by_name(Projecting, "own ")
    if "bringing" in named:
        named["bringing"] = by_name(Bringing if widgets is AtlasTab else Samples, "brought ")
    return widgets(**named)
