"""What the script of a component does first."""

import json
from collections.abc import Mapping
from typing import Any


def with_given(props: Mapping[str, Any], script: str) -> str:
    """The script of a component, which first sets each of the component's own props that is not there. gradio keeps an
    answer to a component of a tab that has not been opened yet, and once the tab is drawn, the props that the answer
    names (for `gr.update` none of ours) take the place of all that the component was built with."""
    given = json.dumps(dict(props))
    return f"for (const [name, value] of Object.entries({given})) if (!(name in props)) props[name] = value;\n{script}"
