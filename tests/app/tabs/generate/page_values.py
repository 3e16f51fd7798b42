"""The Generate tab's widgets, each by its name, and what they hold in the tests of its handlers."""

from by_name import by_name

from app.tabs.generate.widgets import GenerateTab

ASKED = ("emoji", "mlora-asym", "any", 1.0, 10, 3)  # of the fixture `sampled`
TAB = by_name(GenerateTab)


def asked(*values, sampled=None, linked=""):
    """Returns the page's values by widget, by default those of `ASKED`."""
    return dict(zip(TAB.asked, (*(values or ASKED), "diffusion"), strict=True)) | {"sampled": sampled, "linked": linked}
