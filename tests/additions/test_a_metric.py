"""The fourth of the seven additions, a metric: a function with its registration is shown by commands, tables and the
page."""

import json

import pandas as pd
import pytest
import tiny_assets

from app.tabs.audit import handlers
from app.tabs.audit import run as audit_run
from precompute.experiment import Context
from precompute.experiments import generation_tables
from tests.analysis.conftest import Colours, family, zoo  # noqa: F401, a fixture
from wsr.analysis.evaluation import Evaluation
from wsr.analysis.plane import audit_report
from wsr.metrics import Metric, registered

NAME = "emoji-mlora-asym"


def drift(generated, reference) -> float:
    """Distance between the mean weights and those of the reference, in units of √p."""
    return float((generated.mean(0) - reference.mean(0)).norm() / generated.shape[1] ** 0.5)


def hesitation(rows: pd.DataFrame) -> float:
    """Share of the weights that are hardly novel."""
    return float((rows["novelty"] < 1).mean())


DRIFT = Metric("drift", "drift", drift, "weights", unit="×10³", decimals=1)
HESITATION = Metric("hesitation", "hesitant", hesitation, "placements", unit="%", decimals=0)


@pytest.fixture
def mine():
    with registered(DRIFT, HESITATION):
        yield


def test_the_metric_is_in_tables_and_on_the_page(zoo, mine, tmp_path, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    made = family(zoo.representation, 25, 5)
    evaluation = Evaluation(zoo, Colours(), count=20, repeats=2, resolution=8)
    table = evaluation.table(evaluation.decoded(made))
    assert {"drift", "drift sd"} <= set(table) and (table["drift"] > 0).all()
    nearer = table[table["set"] == "floor"]["drift"].mean()
    assert nearer < evaluation.table(evaluation.decoded(made + 1.0))["drift"].iloc[0]

    # the tiny assets have a collection of the same name as the audited zoo
    reports = tiny_assets.make(tmp_path / "assets") / "reports"
    rows = [{**row, "model": NAME} for row in table.to_dict("records")]
    (reports / f"generation-{NAME}.json").write_text(json.dumps({"rows": rows}))
    shown = generation_tables.rows(generation_tables.frame("emoji", Context()), {})
    (line,) = [row for row in shown if row["set"] == "samples" and row["against"] == "heldout"]
    value = table[(table["set"] == "samples") & (table["against"] == "heldout")]["drift"].iloc[0]
    assert line["drift ×10³"] == pytest.approx(1000 * value)

    rows, about = audit_report(zoo, evaluation, {"diffusion": made}, count=4, false_positive_rate=0.2)
    assert set(about["summaries"]["diffusion"]) >= {"hesitation", "novelty", "replica"}
    page = handlers.table_of(audit_run.Report(NAME, rows, about))
    real = table[(table["set"] == "floor") & (table["against"] == "heldout")]["drift"].iloc[0]
    assert f"drift ×10³ {DRIFT.text(value)} ({DRIFT.text(real)})" in page
    share = hesitation(rows[rows["generator"] == "diffusion"])
    assert "hesitant" in page and f"<td>{HESITATION.text(share)}<" in page


def test_the_command_line_shows_the_metric(zoo, mine, tmp_path, monkeypatch, capsys):  # noqa: F811
    from wsr.cli import main
    from wsr.metrics import features

    fast = features.ExtractorKind("colours", "images", Colours)
    monkeypatch.setitem(features._EXTRACTORS, "colours", fast)
    monkeypatch.setattr("wsr.zoo.zoo.load_representation", lambda meta: zoo.representation)
    table = tmp_path / "table.csv"
    asked = ["evaluate", str(zoo.path), str(zoo.path), "--count", "20", "--repeats", "2", "--extractor", "colours"]
    assert main([*asked, "--out", str(table)]) == 0
    assert "drift" in capsys.readouterr().out and {"drift", "FD"} <= set(pd.read_csv(table))
