"""A tab that is opened shows at once what is being prepared, until the content is there."""

import gradio as gr
import pytest

from app.components.plotly_chart import PlotlyChart

# What stays empty until a visitor has guessed: `.wsr-verdict` and what belongs to it.
AFTER_A_GUESS = 5


@pytest.mark.parametrize("tab", ["Connect", "Symmetry", "Audit"])
def test_what_a_tab_will_show_says_that_it_is_being_prepared(built, tab):
    view = next(one for one in built.blocks.values() if isinstance(one, gr.Tab) and one.label == tab)
    first = {fn._id for fn in built.fns.values() if (view._id, "select") in fn.targets}
    filled = [fn for fn in built.fns.values() if fn.fn and (fn._id in first or fn.trigger_after in first)]
    outputs = {one for fn in filled for one in fn.outputs if isinstance(one, gr.HTML)}
    charts = {one for one in outputs if isinstance(one, PlotlyChart)}
    assert charts and all(chart.props["placeholder"] or chart.value for chart in charts)
    empty = [one for one in outputs - charts if not one.value]
    assert len(empty) <= (AFTER_A_GUESS if tab == "Symmetry" else 0 if tab == "Connect" else 1), empty
    waiting = [one.value for one in outputs - charts if "Decoding …" in str(one.value)]
    assert waiting
