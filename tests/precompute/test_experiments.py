"""The declared experiments fit together, and the documented lists of them are current."""

import re
from pathlib import Path

import pytest

from precompute import __main__ as command
from precompute.experiment import Context
from precompute.experiments import experiments
from precompute.listing import README, readme, table
from precompute.plan import BEFORE, MISSING, Plan
from wsr import representations
from wsr.identity import Identity
from wsr.paths import assets_dir
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
ROOT = Path(__file__).resolve().parents[2]
FOLDER = "images:somewhere/faces"


@pytest.fixture(scope="module")
def known():
    return experiments()


@pytest.mark.parametrize("context", [Context(), Context("paper"), Context("paper", (FOLDER,))])
def test_every_cell_has_a_name_and_makes_files_of_its_own(known, context):
    plan = Plan(known, context)
    for one in known.values():
        keys = [node.key for node in plan.nodes(one)]
        assert len(keys) == len(set(keys)), one.name
        assert all(re.fullmatch(r"[^\s/]*", key) for key in keys)
    assert all(len(makers) == 1 for makers in plan.producers.values())


def test_whatever_is_needed_or_used_is_made_by_an_experiment(known):
    plan = Plan(known, Context())
    cells = [cell for one in known.values() for cell in plan.context.cells(one)]
    for cell in cells:
        assert plan.makes(cell) or known[cell.experiment].report, f"{cell} leaves nothing behind"
        for path in (*plan.needs(cell), *plan.uses(cell)):
            assert path in plan.producers, f"{cell}: nobody makes {path}"


def test_the_settings_of_every_cell_fit_into_an_identity(known, nothing):
    for context in (Context(), Context("paper", (FOLDER,))):
        for one in known.values():
            for cell in context.cells(one):
                Identity.of(one.name, one.version, cell={}, preset="", **one.settings(cell, context))


def test_from_nothing_everything_has_an_order(known, nothing):
    plan = Plan(known, Context())
    order = plan.order(known)
    place = {node: i for i, node in enumerate(order)}
    assert len(order) == sum(len(plan.nodes(one)) for one in known.values())
    for node in order:
        for path in (*plan.needs(node), *plan.uses(node)):
            assert all(place[maker] < place[node] for maker in plan.producers[path])
        if node.is_report:
            assert all(place[cell] < place[node] for cell in plan.gathered(node))
    assert all(plan.state(node).word == MISSING for node in order[:50])


def test_one_name_brings_what_it_needs_and_nothing_else(known, nothing):
    found = Plan(known, Context(only="mlora-asym")).order(["maps"])
    assert list(dict.fromkeys(node.experiment for node in found)) == ["bases", "zoos", "maps"]
    assert all(node.values.get("representation", "mlora-asym") == "mlora-asym" for node in found)
    assert {node.key for node in found if node.experiment == "bases"} == {"emoji", "faces", "shapes10"}
    alone = Plan(known, Context("paper", (FOLDER,), "mlp")).order(["maps"])
    # an MLP needs no base
    assert [str(node) for node in alone] == ["zoos images-faces-paper-mlp", "maps images-faces-paper-mlp"]


def test_other_presets_and_data_sets_share_no_path_with_today_s(known):
    usual = set(Plan(known, Context()).producers)
    for context in (Context("paper"), Context("cpu", (FOLDER,)), Context("paper", (FOLDER,))):
        assert not usual & set(Plan(known, context).producers)
    part = usual & set(Plan(known, Context("cpu", ("emoji",))).producers)  # a run with only one of the usual data sets
    assert "zoos/emoji-mlp" in part and not any("table1" in path or "dimensions" in path for path in part)


def test_the_assets_of_today_count_as_made_before_records_were_kept(known):
    if not (assets_dir() / "zoos" / "emoji-mlora-asym" / "zoo.json").exists():
        pytest.skip("the repository's assets are not here")
    plan = Plan(known, Context())
    # These experiments are newer than the records, were never kept in assets/, or have not been run yet. Of faces not
    # everything has been made yet, and what was made of people is not shipped.
    newer = {"processes", "encoders", "encoded_starts", "large_zoos", "large_search", "learnability", "scaling"}
    newer |= {"field_speed", "wide_starts", "noise_carried", "realism", "large_realism", "recorded_fit", "own_rates"}
    newer |= {"arena", "arena_permuted", "arena_independent", "arena_ceilings", "million", "cluster_speed"}
    newer |= {"sliders", "slider_ways", "large_models", "large_maps", "large_sampling", "large_audits", "planted"}
    newer |= {"zero_starts", "unconditional_search", "unconditional", "regimes", "figure3_draws"}
    for name in known.keys() - newer - {"diffusion_sizes", "spans"}:
        for node in plan.nodes(known[name]):
            if node.values.get("data") in ("faces", "emoji/people"):
                continue
            assert plan.state(node).word == BEFORE, f"{node}: {plan.state(node)}"


def test_no_map_of_shapes_is_without_pictures():
    """In an earlier version, the neighbours and the points of a map of 2,000 shapes were empty boxes."""
    maps = assets_dir() / "maps"
    zoos = [Zoo.open(assets_dir() / "zoos" / path.stem) for path in maps.glob("*.parquet")]
    shapes = [zoo for zoo in zoos if zoo.modality.has_surface]
    drawn = [list(zoo.ids) for zoo in shapes if (maps / f"{zoo.path.name}.webp").is_file()]
    assert all(list(zoo.ids) in drawn for zoo in shapes)


def test_the_readme_has_the_table_that_list_prints(known):
    assert README.read_text() == readme(known), "python -m precompute list --write"
    assert table(known).count("\n") == len(known) + 2


def test_no_experiment_has_a_preset_or_a_path_to_another_one_s_code_in_it():
    for path in [*(ROOT / "precompute").rglob("*.py")]:
        text = path.read_text().replace('presets=("cpu",)', "")
        if path.parent.name == "experiments":
            assert '"cpu"' not in text or path.name in ("pointnet.py", "generation_tables.py"), path
            assert "sys.argv" not in text and "__main__" not in text, path


def test_the_documentation_names_no_script_that_is_gone(known):
    stay = {"visitors", "soak", "paper_sizes"}
    for path in (ROOT / "README.md", README, ROOT / "Makefile"):
        text = path.read_text()
        assert set(re.findall(r"python -m\s+precompute\.(\w+)", text)) <= stay
        for names in re.findall(r"python -m\s+precompute run ([a-z_0-9 ]+)", text):
            assert set(names.split()) <= known.keys(), names


def test_unknown_names_are_refused_with_the_nearest(capsys, nothing):
    for given, said in (
        (["run", "tabel1"], "'table1'"),
        (["status", "zoo"], "'zoos'"),
        (["run", "zoos", "--preset", "papr"], "'paper'"),
        (["run", "zoos", "--only", "mlora-asim"], "'mlora-asym'"),
        (["run", "zoos", "--data", "shapes"], "'shapes10'"),
        (["run"], "--all"),
        (["run", "live", "--data", "emoji"], "leave out --data"),
        (["run", "pointnet", "--preset", "paper"], "at the preset cpu"),
        (["run", "zoos", "--data", "images:not/there", "--only", "mlp"], "There is no folder"),
    ):
        code = command.main(given)
        told = capsys.readouterr()
        assert code in (1, 2) and said in told.err + told.out, given


def test_only_leaves_out_experiments_that_have_no_cell_of_it(capsys, nothing, known):
    lacking = next(name for name, one in known.items() if not Context(only="mlp").asked(one))
    assert command.main(["status", "maps", lacking, "--only", "mlp"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{lacking}: left out, because it has no cell of mlp" and lines[1] == "maps emoji-mlp: missing"
    assert command.main(["run", lacking, "--only", "mlp"]) == 2
    assert f"no cell of mlp in {lacking}" in capsys.readouterr().err


def test_only_holds_for_an_axis_of_representations_whatever_it_is_called(known, nothing):
    asked = Context(only="mlp").asked(known["dimensions"])
    assert {cell["of"] for cell in asked} == {"mlp", "signals"}, "signals are no representation's"


def test_list_and_status_print_what_there_is(capsys, nothing):
    assert command.main(["list"]) == 0 and "| `table1` |" in capsys.readouterr().out
    assert command.main(["status", "maps", "--only", "mlp"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "maps emoji-mlp: missing" and len(lines) == 3
    assert len(representations) == 6
