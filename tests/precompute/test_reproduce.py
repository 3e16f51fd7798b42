"""`wsr reproduce`: what exists is used, the plan tells times, and what is lacking is made."""

import pytest

from precompute import durations, reproduce
from precompute.durations import duration, in_words
from precompute.experiment import Context
from precompute.experiments import experiments
from precompute.experiments.table4 import EXPERIMENT as TABLE_4
from precompute.plan import Plan
from tests.precompute.small import pictures, report
from wsr import paths
from wsr.cli import main
from wsr.commands import FAILED, MISTAKE, OK
from wsr.errors import WsrError
from wsr.paths import assets_dir

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
# whose reports in assets/ are older than what their experiments measure now
AWAITED = () if "protocol" in (assets_dir() / "reports/table4.csv").read_text() else ("table4",)


def told(capsys) -> str:
    return capsys.readouterr().out


def test_names_are_listed(capsys):
    assert main(["reproduce", "list"]) == OK
    out = told(capsys)
    assert all(name in out for name in reproduce.TARGETS) and "not part of `all`" in out


def test_every_target_names_experiments_and_data_that_there_are():
    known = experiments()
    for target in reproduce.TARGETS.values():
        for part in target.parts:
            assert set(part.names) <= known.keys()
            assert all(Plan(known, Context(given=part.data)).order([name]) is not None for name in part.names[:1])


def test_with_the_assets_in_place_nothing_is_to_be_made(capsys):
    if not (assets_dir() / "zoos/shapes10-mlp/zoo.json").exists():
        pytest.skip("the repository's assets are not here")
    before = {path: path.stat().st_mtime_ns for path in assets_dir().rglob("*") if path.is_file()}
    assert main(["reproduce", "all", "--dry-run"]) == OK
    assert "Not part of `all`: table2" in told(capsys)
    published = [name for name, one in reproduce.TARGETS.items() if not one.by_name and name not in AWAITED]
    assert main(["reproduce", *published, "--dry-run"]) == OK
    out = told(capsys)
    assert "To make: 0 cells" in out and "stale" not in out and "to make" not in out.replace("To make", "")
    assert main(["reproduce", "table3", "table5", "claims"]) == OK
    assert "table5 (shapes10): 20 of 20 were there and are used" in told(capsys)
    assert before == {path: path.stat().st_mtime_ns for path in assets_dir().rglob("*") if path.is_file()}


def test_from_nothing_the_plan_has_measured_times(nothing, capsys):
    assert main(["reproduce", "table4", "figure3", "--dry-run"]) == OK
    out = told(capsys)
    for line in ("bases: 2 to make; 1.9 h (measured)", "bases: 2 made above", "table4: 24 to make; ",
                 "figure3: 100 to make; 8 h (measured)", "on two cores"):  # fmt: skip
        assert line in out, out
    assert not nothing.exists()


def test_at_the_paper_s_sizes_the_whole_chain_is_told(nothing, capsys):
    assert main(["reproduce", "--preset", "paper", "--dry-run"]) == OK
    out = told(capsys)
    assert "table3 (meshes:ShapeNet#10x500)" in out and "table2 (images:FFHQ#5000)" in out
    assert "claims: claims is run at the preset cpu" in out
    assert "of unknown time" in out  # without the report of a GPU nothing is estimated
    assert main(["reproduce", "table3", "--preset", "paper"]) == MISTAKE
    assert main(["reproduce", "table3", "--preset", "paper", "--data", "images:FFHQ", "--dry-run"]) == OK
    assert "it is not about images:FFHQ" in told(capsys)


def test_times_at_the_paper_s_sizes_are_estimated_by_measured_speeds():
    plan = Plan(experiments(), Context("paper", ("meshes:ShapeNet#10x500",)))
    cells = {name: plan.context.cells(plan.experiments[name])[0] for name in ("bases", "zoos", "generation", "table4")}
    found = {name: duration(plan, cell) for name, cell in cells.items()}
    if not (assets_dir() / durations.GPU).exists():
        pytest.skip("the repository's assets are not here")
    assert all(one.how == "estimated" for one in found.values())
    assert found["zoos"].seconds == pytest.approx(5000 / 0.337, rel=0.01) and found["table4"].seconds is None
    assert found["generation"].seconds == pytest.approx(6000 * 19 / 5.553, rel=0.01) and found["bases"].seconds > 3600


def test_every_experiment_that_all_runs_declares_its_time():
    plan = Plan(experiments(), Context())
    for name, target in reproduce.TARGETS.items():
        for one in {one for part in target.parts for one in part.names if not target.by_name}:
            cell = plan.context.cells(plan.experiments[one])[0]
            assert durations._declared(plan, cell).seconds is not None, f"{name}: {one}"
    assert [in_words(s) for s in (40, 600, 12600, 1e6)] == ["40 s", "10 min", "3.5 h", "12 days"]


@pytest.mark.parametrize("words, said", [
    (["tabel3"], "did you mean 'table3'?"),
    ([], "Name what to make, or `all`"),
    (["table3", "--data", "shapes11"], "shapes10"),
])  # fmt: skip
def test_mistakes_are_explained(words, said, capsys):
    assert main(["reproduce", *words]) == MISTAKE
    assert said in " ".join(capsys.readouterr().err.split())


def test_outside_a_checkout_a_sentence_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr("wsr.commands.reproduce.checkout_dir", lambda: None)
    assert main(["reproduce", "all"]) == MISTAKE
    assert "clone the repository of wsr" in capsys.readouterr().err
    assert paths.checkout_dir() is not None


def test_what_lacks_is_made_and_what_is_stale_is_told(small, tmp_path, capsys, monkeypatch):
    faces = pictures(tmp_path / "faces", 24, 8)
    words = ["reproduce", "table4", "--preset", "paper", "--data", faces]
    assert main(words) == OK, told(capsys)
    out = told(capsys)
    assert "zoos images-faces-paper-mlp, about" in out and "table4 report-images-faces-paper: written" in out
    assert len(report("table4-images-faces-paper")["rows"]) == 12
    assert main(words) == OK and "table4 (" + faces + "): 13 of 13 were there" in told(capsys)

    monkeypatch.setitem(TABLE_4.__dict__, "version", 2)
    assert main(words) == OK
    out = told(capsys)
    assert "is stale: version of the method was 1 and is now 2; it stays as it is without --again" in out
    assert main([*words, "--again"]) == OK and "made in" in told(capsys)


def test_what_fails_is_told_by_the_exit_code(small, tmp_path, capsys, monkeypatch):
    def fails(cell, context):
        raise WsrError("it was not meant to be.")

    monkeypatch.setitem(TABLE_4.__dict__, "run", fails)
    faces = pictures(tmp_path / "faces", 2, 1)
    assert main(["reproduce", "table4", "--preset", "paper", "--data", faces]) == FAILED
    assert "it was not meant to be" in told(capsys)
