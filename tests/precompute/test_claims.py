"""Every claim's verdict comes from the reports by one rule, and the published records are those of today's reports."""

import json
import shutil
from copy import deepcopy

import numpy as np
import pytest

from precompute.claims import drawn, figure3, generation, groups, starts, table1, table4
from precompute.claims.claim import INCOMPARABLE, KAPPA, ONE_MASK, OPEN, Claim, Evidence, Fault
from precompute.claims.reports import Reports
from precompute.claims.rule import RULE, judge
from precompute.experiment import Context
from precompute.experiments import claims
from precompute.experiments.generation_tables import FLAT
from wsr.paths import assets_dir
from wsr.stats import exact, paired, stated

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


@pytest.fixture(scope="module")
def found():
    return claims.gathered(Context())


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A folder of assets with copies of the reports, which a test may change. Returns a function that reads a report,
    changes it, and writes it back."""
    for folder in ("reports", "zoos"):
        (tmp_path / folder).mkdir()
    for path in (assets_dir() / "reports").glob("*.json"):
        shutil.copy(path, tmp_path / "reports")
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))

    def change(name: str, edit) -> None:
        path = tmp_path / "reports" / f"{name}.json"
        report = json.loads(path.read_text())
        edit(report)
        path.write_text(json.dumps(report))

    return change


def records(of: str) -> dict[str, dict]:
    """The records of one group, without those of all others that `claims.gathered` has as well."""
    group = next(one for one in groups() if one.name == of)
    return {one["id"]: one for one in judge(group.claims(Reports(Context(), (*group.reports, *group.further))), {})}


def test_no_two_claims_say_the_same_of_the_same_data(found):
    """Barriers from two kinds of starts stood in Results with the same words and other bars."""
    told = [(one["claim"], one.get("data")) for one in found["claims"]]
    assert len(set(told)) == len(told)


def claim(name: str, difference=None, *faults: Fault, parts=()) -> Claim:
    evidence = Evidence(difference=difference, faults=faults)
    return Claim(id=name, says="", where="", evidence=evidence, parts=tuple(parts))


def verdicts(*of: Claim) -> list[str]:
    return [record["verdict"] for record in judge(of, {})]


def test_the_published_records_are_those_of_the_reports(found):
    written = json.loads((assets_dir() / "reports/claims.json").read_text())
    assert written == json.loads(json.dumps(found)), "run `wsr reproduce claims`: the reports say something else now"
    assert (assets_dir() / "reports/REPRODUCTION.md").read_text() == claims.written(found)
    assert not claims.changed(Context().cells(claims.EXPERIMENT)[0], Context())


def test_the_rule():
    clear, unclear, wrong = (stated(mean, 0.5, 9, 10) for mean in (2.0, 0.1, -2.0))
    thin, other = Fault(OPEN, "one seed"), Fault(INCOMPARABLE, "another start")
    assert verdicts(claim("a", clear), claim("b", unclear), claim("c", wrong)) == ["confirmed", "open", "refuted"]
    assert verdicts(claim("a", clear, thin), claim("b", wrong, other), claim("c", clear, thin, other)) == [
        "open", "not comparable", "not comparable",
    ]  # fmt: skip
    assert verdicts(claim("a", exact(1.0)), claim("b", exact(-1.0)), claim("c")) == ["confirmed", "refuted", "open"]
    parts = [claim("whole", parts=["a", "b"]), claim("a", clear), claim("b", wrong)]
    assert verdicts(*parts)[0] == "refuted"


def test_claims_of_one_table_are_judged_together():
    borderline = stated(1.0, 0.9, 9, 10)
    assert verdicts(claim("a", borderline)) == ["confirmed"]
    many = [claim(str(i), borderline if i == 0 else stated(0.0, 1.0, 9, 10)) for i in range(10)]
    assert verdicts(*many)[0] == "open"
    # also with those that stay open for another reason, which may be one that their result gives
    fault = Fault(OPEN, "one seed")
    assert verdicts(many[0], *(claim(f"x{i}", stated(0.0, 1.0, 9, 10), fault) for i in range(10)))[0] == "open"
    assert verdicts(many[0], *(claim(f"x{i}", None, fault) for i in range(10)))[0] == "confirmed"


def test_a_statement_consists_of_claims_about_its_own_pairs(found):
    """“lora-asym>lora” was taken for the end of “mlora-asym>lora”, and “mlora>mlp” for that of “lora>mlp”."""
    parts = {one["id"]: one["parts"] for one in found["claims"] if one.get("parts")}
    masks = {part.rpartition(".")[2] for part in parts["statement.mask-lowers-barrier"]}
    assert masks == {"mlp-asym>mlp", "lora-asym>lora", "mlora-asym>mlora"}
    assert {part.rpartition(".")[2] for part in parts["statement.progression"]} == {"lora>mlp", "mlora>lora"}


def test_every_claim_is_one(found):
    ids = [record["id"] for record in found["claims"]]
    assert len(ids) == len(set(ids)) and {group.name for group in groups()} == {one["group"] for one in found["claims"]}
    for record in found["claims"]:
        assert record["claim"] and record["where"] and set(record.get("parts", ())) <= set(ids)
        if not record.get("parts") and record["verdict"] in (OPEN, INCOMPARABLE):
            decided = record["difference"] and record["difference"]["p by Holm"] is not None
            assert record["reasons"] or decided, f"{record['id']} does not say why it is {record['verdict']}"
    assert found["rule"] == list(RULE) and sum(found["counts"].values()) == len(ids)
    assert sum(bool(record.get("headline")) for record in found["claims"]) == 5


def test_nothing_is_confirmed_without_grounds(found):
    """No interval of a decided claim includes 0, none has a reason against it, and none rests on fewer than three
    values or on starts that are one."""
    for record in found["claims"]:
        if record["verdict"] not in ("confirmed", "refuted") or record.get("parts"):
            continue
        gain = record["difference"]
        assert not record["reasons"] and (gain["low"] > 0) == (record["verdict"] == "confirmed")
        assert gain["low"] > 0 or gain["high"] < 0
        if gain["p"] is not None:
            assert gain["p"] <= gain["p by Holm"] < 0.05 and record["n"] >= 3, record["id"]
        cosines = record["more"].get("start cosines", [])
        assert all(abs(cosine) <= starts.INDEPENDENT for cosine in cosines)
        if record["group"] in ("table2", "table3", "table5"):
            assert record["seeds"] >= 3 and "test" in record["split"]


def test_a_group_reads_only_what_it_declares():
    with pytest.raises(KeyError, match="without declaring"):
        Reports(Context(), ("table1",))("table4")


def test_a_claim_without_reports_is_open(nothing):
    found = claims.gathered(Context())
    measured = [one for one in found["claims"] if one.get("difference") and one["difference"]["p"] is not None]
    assert not measured and not [one for one in found["claims"] if one["verdict"] == "refuted"]
    assert claims.written(found).startswith("# The paper's claims")


def test_figure_3_is_judged_where_starts_are_the_paper_s(copied):
    def add(series):
        def edit(report):
            """Adds starts that are independent for all six, from which mLoRA-Asym's barrier is the lowest."""
            noise = np.random.default_rng(0)
            report["rows"] = [row for row in report["rows"] if row["series"] != series]
            for row in [row for row in report["rows"] if row["series"] == "own" and row["lambda"] in (0.0, 1.0)]:
                new = deepcopy(row) | {"series": series, "start_cosine": 0.1 if row["lambda"] else 1.0}
                low = 0.02 if row["representation"] == figure3.BEST else 0.3
                new["raw"]["drops"] = (low + 0.01 * noise.normal(size=len(row["raw"]["drops"]))).tolist()
                report["rows"].append(new)

        return edit

    name, steady = "figure3.barrier.mlora-asym>lora-asym", "figure3.steady.mlora-asym"
    whole = records("figure3")  # all six from the paper's own starts
    assert whole[name]["more"]["series"] == figure3.LITERAL and "zero-starts-shapes10" in whole[name]["reports"]
    assert whole[steady]["ours"][1]["name"].endswith(f"λ = 0, {figure3.LITERAL}"), "one start of the same kind"
    copied("zero-starts-shapes10", lambda report: report.update({"rows": []}))
    before = records("figure3")
    assert before[name]["verdict"] == "not comparable" and before[steady]["verdict"] == "open"
    assert "0.99" in str(before[name]["more"])  # every start's cosine is told
    assert any("draw one picture" in reason for reason in before["figure3.barrier.lora-asym>lora"]["reasons"])
    assert any("usual start" in reason for reason in before[steady]["reasons"])
    copied("wide-starts-shapes10", lambda report: report.update({"rows": []}))
    copied("figure3-shapes10", add("wide"))
    after = records("figure3")
    assert "these are others" in after[name]["reasons"][0] and after[name]["verdict"] == "not comparable"
    copied("figure3-shapes10", add(figure3.LITERAL))
    reasons = records("figure3")[name]["reasons"]
    assert len(reasons) == 1 and "√6" in reasons[0]
    copied("figure3-shapes10", lambda report: report.update({KAPPA: 6**0.5}))
    after = records("figure3")
    assert after[name]["verdict"] == "confirmed" == after[steady]["verdict"]
    assert after[f"{steady}.wide-0.02"]["verdict"] == "not comparable"


def test_a_barrier_is_open_where_the_paper_s_measure_says_something_else():
    lower, level, higher = (stated(mean, 0.5, 29, 30) for mean in (2.0, 0.1, -2.0))
    assert drawn.disagreeing(lower, lower) == [] == drawn.disagreeing(level, higher)
    for other in (level, higher):
        (fault,) = drawn.disagreeing(lower, other)
        assert fault.verdict == OPEN and "Chamfer" in fault.reason


def test_table_4_is_judged_by_raw_weights(copied):
    def clearer(report):
        for row in report["order"]:
            if (row["protocol"], row["measure"]) == (table4.RAW, "1-NN"):
                row |= {"by": 20.0, "±": 2.0}

    def without_raw(report):
        for part in ("rows", "order"):
            report[part] = [
                {key: value for key, value in row.items() if key != "protocol"}
                for row in report[part] if row["protocol"] != table4.RAW
            ]  # fmt: skip

    name = "table4.nn1.mlora>lora"
    assert records("table4")[name]["verdict"] == "open"
    copied("table4", clearer)
    assert records("table4")[name]["verdict"] == "confirmed"
    copied("table4", without_raw)
    after = records("table4")[name]
    assert after["verdict"] == "not comparable" and "raw" in after["reasons"][0]


def test_table_5_needs_three_seeds_of_generators_as_in_the_paper(copied):
    def fewer(report):
        report["rows"] = [row for row in report["rows"] if row["encoder"] or row["seed"] == 0]

    def clearer(report):
        for row in report["rows"]:
            row["FD"] = (0.1 if row["encoder"] else 0.2) + 0.001 * row["seed"]
            row["parameters"] = 5_500_000 if row["encoder"] else 7_300_000

    key, report = "table5.fd.mlora-asym>mlora-asym-without-the-layer-encoder", "unconditional-shapes10"
    measured = records("table5")[key]
    assert measured["seeds"] == 3 and measured["reports"] == [report] and not measured["reasons"]
    copied(report, clearer)
    other = records("table5")[key]
    assert other["verdict"] == "confirmed"
    assert any("5.5 and 7.3 million parameters" in note for note in other["notes"])
    copied(report, fewer)
    assert any("seeds" in reason for reason in records("table5")[key]["reasons"])


def test_generators_that_the_page_shows_decide_where_they_have_more_seeds(copied):
    """Their samplers were chosen for one of the two, so that nothing is decided."""
    key, report = "table3.multi.fd.mlora-asym>mlp", "unconditional-shapes10"
    copied(report, lambda report: report.update(rows=[row for row in report["rows"] if row["seed"] == 0]))
    shown = records("table3")[key]
    assert report not in shown["reports"] and any("guidance" in reason for reason in shown["reasons"])

    def three(report):
        report["rows"] += [row | {"seed": seed} for row in report["rows"] for seed in (1, 2)]

    copied(report, three)
    plain = records("table3")[key]
    assert plain["reports"] == [report] and not any("guidance" in reason for reason in plain["reasons"])


def test_networks_are_found_by_the_same_search():
    trials = [{"representation": name, "width": width} for name in ("mlp", "mlora-asym") for width in (320, 640)]
    pair = ("mlora-asym", "mlp")
    assert generation._unequal({"rows": trials}, pair) == []
    for rows in ([], trials[1:], [{"representation": name} for name in pair * 2]):
        (fault,) = generation._unequal({"rows": rows}, pair)
        assert fault.verdict == OPEN and "trial" in fault.reason


def test_a_search_with_the_same_budget_may_end_earlier_for_one_of_two():
    """All neighbours of its best trial have been tried then."""
    rows = [{"representation": "mlora-asym", "encoder": flat, "width": width} for flat, width in
            ((True, 320), (True, 640), (False, 320), (False, 448), (False, 640))]  # fmt: skip
    pair = ("mlora-asym", FLAT)
    assert generation._unequal({"trials": 10, "rows": rows}, pair) == []
    for search in ({"rows": rows}, {"trials": 10, "rows": rows[:2]}):
        (fault,) = generation._unequal(search, pair)
        assert "2 trials of mLoRA-Asym" in fault.reason


def test_table_1_asks_whether_learning_rates_decide(copied):
    rates = {"quality": {"a": {"x": {"lr": 1, "a_rate": 1, "mean": 30.0}, "y": {"lr": 2, "a_rate": 1, "mean": 31.0}},
                         "b": {"x": {"lr": 1, "a_rate": 1, "mean": 30.0}}},
             "chosen": {"a": {"lr": 1, "a_rate": 1}, "b": {"lr": 1, "a_rate": 1}}}  # fmt: skip
    assert table1._slack(rates, ("a", "b")) == 1.0 and table1._slack(rates, ("b", "a")) == -1.0
    assert table1._overturned(paired([0.0, 0.1, 0.2], [0.5, 0.6, 0.8]), 1.0)
    assert not table1._overturned(paired([0.0, 0.1, 0.2], [5.0, 5.1, 5.3]), 1.0)
    name = "table1.ffhq_psnr.faces.mlora-asym>lora"
    measured = records("table1")[name]
    assert measured["verdict"] == "refuted" and not measured["reasons"]
    assert "own search" in measured["notes"][0]
    copied("own-rates-faces", lambda report: report.update(order=[]))  # as before that was measured
    name = "table1.ffhq_psnr.faces.mlora-asym>mlora"
    assert any("best rate" in reason for reason in records("table1")[name]["reasons"])

    def best(report):
        for kind, tried in report["quality"].items():
            top = max(tried.values(), key=lambda row: row["mean"])
            report["chosen"][kind] = {axis: top[axis] for axis in ("lr", "a_rate")}

    copied("learning-rates-emoji", best)
    assert records("table1")[name]["reasons"] == [ONE_MASK.reason]
