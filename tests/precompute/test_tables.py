"""Tables and figures of experiments on disk."""

import json

from precompute.figure3_drawn import barrier_label
from precompute.tables import write_tables


def test_tables_are_written_in_the_form_that_the_ending_names(tmp_path):
    paths = [tmp_path / f"t.{ending}" for ending in ("json", "csv", "md", "png")]
    write_tables(paths, [{"a": 1.23456, "b": "x"}, {"a": None, "b": "y"}], [{"better": "x"}], samples=3)
    told = json.loads(paths[0].read_text())
    assert told["samples"] == 3 and told["rows"][1] == {"a": None, "b": "y"} and told["order"] == [{"better": "x"}]
    assert paths[1].read_text().splitlines()[1] == "1.23456,x"
    assert "| 1.235 | x |" in paths[2].read_text() and "| better |" in paths[2].read_text()
    assert not paths[3].exists()


def test_figure_3_names_the_quality_that_a_barrier_is_of():
    assert barrier_label("emoji") == "barrier, dB of PSNR" and barrier_label("shapes10") == "barrier, IoU"
