"""The progress bar of a long job stays readable, whatever the length of the note beside it and the width of the
terminal."""

import io
import re

import pytest
from rich.console import Console

from wsr.progress import bar

NOTE = "loss 0.8633, of unseen weights 0.9, cosine of samples 0.01 (training 0.00), near 6 different weights of 32"


@pytest.mark.parametrize("width", [80, 100, 200])
def test_a_long_note_leaves_room_for_the_bar(width):
    shown = io.StringIO()
    with bar("diffusion emoji-mlora-asym", Console(file=shown, force_terminal=True, width=width)) as update:
        update(1200, 6000, NOTE)
        update(2400, 6000, NOTE)
    last = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]", shown.getvalue())]
    last = next(line for line in reversed(last) if line.strip())
    assert "diffusion emoji-mlora-asym" in last and "2400/6000" in last and "━" in last and "0:00:00" in last
    assert len(last.rstrip()) <= width


def test_a_log_file_has_a_line_for_every_twentieth_part():
    shown = io.StringIO()
    with bar("fit", Console(file=shown, width=40)) as update:
        for done in range(1, 101):
            update(done, 100, NOTE)
    lines = [line for line in shown.getvalue().splitlines() if line.startswith("fit: ")]
    assert len(lines) == 21 and lines[-1] == f"fit: 100/100 {NOTE}"
