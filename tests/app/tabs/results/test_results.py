"""The Results tab's handlers: the first screen, tables beside ours, records, links, and forged requests; with a toy
claims.json, and with the published one."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import gradio as gr
import pytest
from by_name import by_name
from toy_claims import toy_claims

from app.tabs.results import drawn, handlers, run, seen, words
from app.tabs.results.handlers import ResultsTab
from wsr.errors import WsrError
from wsr.memory import MEMORY
from wsr.modalities import IMAGE, OCCUPANCY

ASSETS = Path(__file__).resolve().parents[4] / "assets"


class Ann:
    session_hash = "ann"


ANN = Ann()
TAB = by_name(ResultsTab)


@pytest.fixture
def published(monkeypatch):
    """The claims that are published with the app."""
    monkeypatch.setenv("WSR_ASSETS", str(ASSETS))
    MEMORY.drop()
    yield json.loads((ASSETS / "reports/claims.json").read_text())
    MEMORY.drop()


def pick(name, table="table1", verdict=run.ALL):
    return next(handlers.pick(TAB, table, verdict, gr.EventData(None, {"id": name}), ANN))


def show(table, verdict=run.ALL, claim=""):
    return next(handlers.show(TAB, table, verdict, claim, ANN))


def text(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())


def test_the_first_screen_asks_and_answers_with_the_records_numbers(assets):
    cards = show("table1")["first"]
    assert cards.count("<button") == 2  # of the five claims the toy has two
    said = text(cards)
    assert "confirmed Does an adapter redraw a face better" in said
    assert "Yes. LoRA, an adapter , reaches 32.91 ± 0.43" in said
    assert "refuted Does a shape survive" in said and "No. Halfway" in said


def test_all_claims_of_the_first_screen_are_published(published):
    known = {one["id"]: one for one in published["claims"]}
    for one in run.FIRST:
        assert len(known[one.claim]["ours"]) == one.finding.count("{") == 2, one.claim
        assert drawn.against_zero(known[one.claim]) or drawn.sides(known[one.claim])
    assert drawn.first("").count("<button") == len(run.FIRST) == 5


def test_a_table_stands_beside_ours_and_counts_the_claims_about_each_cell(assets):
    shown = show("table1")
    assert shown["shown"].count("<td>") == 6 and shown["shown"].count("<button") == 5
    assert "not measured paper 0.85" in text(shown["shown"]) and "32.91 ± 0.43 paper 35.69" in text(shown["shown"])
    lora = next(cell for cell in run.cells("table1") if cell.record["paper"] == 35.69)
    assert dict(lora.counts()) == {"confirmed": 1}
    assert "wsr reproduce table1 --data faces · values (n): 100 · seeds: 1 · preset: cpu" in words.hint(lora)
    assert "3 claims are stated here: 1 confirmed, 2 open." in text(shown["listed"])
    assert "Not measured here: 1" in text(shown["listed"])
    assert shown["claim"] == "" and "Confirmed" in text(shown["record"])  # opens with a claim that is decided


def test_a_claim_of_another_report_is_about_the_one_cell_with_the_papers_number(published):
    """Claims of Table 3 are judged by the generators of the paper, and its cells are of those that the page shows."""
    claim = next(one for one in published["claims"] if one["id"] == "table3.multi.fd.mlora-asym>mlp")
    best = next(
        cell for cell in run.cells("table3")
        if cell.record["row"] == "mLoRA-Asym (ten categories)" and cell.record["paper"] == claim["paper"]["mlora-asym"]
    )  # fmt: skip
    assert claim["ours"][0]["mean"] != best.record["ours"] and claim in best.claims


def test_a_filter_leaves_claims_of_one_verdict_and_says_where_others_are(assets):
    (shown, _) = handlers.change(TAB, "table1", "open", "", ANN)
    assert shown["listed"].count("<button") == 2 and 'class="wsr-aside"' in shown["shown"]
    (shown, _) = handlers.change(TAB, "table1", "refuted", "", ANN)
    assert "No claim of this table is refuted. Such claims are in: Figure 3 (1)." in text(shown["listed"])
    assert handlers.verdicts()[:2] == [("all claims (7)", ""), ("✓ confirmed (2)", "confirmed")]


def test_a_cell_and_a_claim_open_with_all_that_they_are_made_of(assets):
    cell = pick("table1/2")
    assert cell["claim"] == "table1/2" and set(cell) == {"claim", "record"}
    assert "wsr reproduce table1 --data faces" in text(cell["record"]) and "35.69" in text(cell["record"])
    said = text(pick("table1.iou.shapes10.lora>mlp")["record"])
    for part in ("Open The paper says", "A side has fewer than 3 seeds.", "0.56 (0.37 to 0.75)", "below 0.0001",
                 "0.012", "wsr reproduce table1 --data shapes10", "held out", "Fewer steps"):  # fmt: skip
        assert part in said, part
    elsewhere = pick("figure3.steady.mlora-asym")
    assert elsewhere["table"] == "figure3" and "stays" not in elsewhere["shown"]
    assert "mLoRA-Asym, λ = 1, normal" in text(elsewhere["record"]) and "own" not in text(elsewhere["record"])[-40:]
    whole = pick("statement.fits", "others")["record"]
    assert "consists of 2 claims" in text(whole) and whole.count("data-id") == 2
    assert "computed, not measured. It holds exactly." in text(pick("theorem2", "others")["record"])
    assert "eye, and no number" in text(pick("figure5", "others")["record"])


def test_the_paper_is_said_to_state_what_it_states_only(published):
    """Of claims beyond the paper the page said that the paper says them, with "not in the paper" behind it."""
    for claim in published["claims"]:
        told = drawn.record(claim["id"])
        own = "not in the paper" in claim["where"]
        assert ("The paper says:" in told) != own and ("which is ours" in told) == own
        assert not own or not re.search("the paper( s|’s)", told)
    assert "agrees with the statement" in drawn.claims("encoders", run.ALL, "")
    assert "agrees with the paper" in drawn.claims("table1", run.ALL, "")


def test_other_statements_are_one_table(assets):
    shown = show("others")
    assert shown["listed"].count("<button") == 3 and "drawn faces" in text(shown["listed"])
    assert run.tables() == [("Table 1", "table1"), ("Figure 3", "figure3"), ("Other statements", "others")]


def test_claims_lead_to_what_the_app_has_of_them(assets):
    def links(name):
        return dict(seen.links([run.claim(name)]))

    ((said, address),) = links("table1.iou.shapes10.lora>mlp").items()
    assert said == "Atlas: the map of these fits" and address == "?tab=atlas&data=shapes10&kind=lora"
    assert list(links("figure3.steady.mlora-asym").values()) == ["?tab=connect&data=shapes10&init=normal"]
    assert list(links("theorem2").values()) == ["?tab=symmetry"]
    assert links("table1.ffhq_psnr.faces.lora>mlp") == {}  # no fits of faces are here
    assert "tab=generate&data=shapes10&kind=mlora-asym" in " ".join(links("figure5").values())
    cell = next(cell for cell in run.cells("table1") if cell.record["paper"] == 0.8)
    assert seen.links(cell.claims, "mlp")[0][1].endswith("kind=mlp")


def test_a_link_opens_a_claim_in_its_table(assets):
    shown = handlers.restore(TAB, {"claim": "figure3.steady.mlora-asym"})
    assert shown == {"table": "figure3", "verdict": "", "claim": "figure3.steady.mlora-asym"}
    assert handlers.restore(TAB, {"claim": "table1/3", "verdict": "open"})["verdict"] == "open"
    assert handlers.restore(TAB, {"claim": "statement.fits"})["table"] == "others"
    for given in ({"claim": "nobody"}, {"claim": "table1/99"}, {"table": "table9"}, {"verdict": "liked"}):
        with pytest.raises(WsrError):
            handlers.restore(TAB, given)


def test_forged_requests_are_told(assets):
    for table, verdict in (("../..", ""), (None, ""), (["table1"], ""), ("table1", "liked"), ("table1", [])):
        with pytest.raises(gr.Error):
            show(table, verdict)
    for name in ("nobody", "", "table1/99", "others/1", "statements/1"):
        with pytest.raises(gr.Error, match="claim"):
            pick(name)


def test_what_is_not_claims_is_not_shown(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    assert run.names() == []
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/claims.json").write_text("[]")
    assert run.names() == []
    (tmp_path / "reports/claims.json").write_text(json.dumps(toy_claims()))
    assert run.names() == ["claims"]


class Shape(HTMLParser):
    """The tags that are open, and headings; fails where a tag is closed that is not the last one."""

    def __init__(self, html):
        super().__init__()
        self.open, self.ids = [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        if tag == "button":
            assert "button" not in self.open
            self.ids.append(dict(attributes)["data-id"])
        self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_published_claim_and_cell_has_a_record(published):
    listed = set()
    for _, table in run.tables():
        there = Shape(drawn.table(table, run.ALL, "")).ids
        assert sorted(there) == sorted(cell.id for cell in run.cells(table))
        for cell in run.cells(table):
            assert cell.claims and drawn.record(cell.id), cell.id
        listed |= set(Shape(drawn.claims(table, run.ALL, "")).ids)
    assert listed == {one["id"] for one in published["claims"]}
    for one in published["claims"]:
        said = drawn.record(one["id"])
        assert set(Shape(said).ids) == set(one.get("parts", ()))
        assert "None" not in text(said) and "`" not in said, one["id"]


def test_numbers_have_the_digits_that_are_known():
    assert words.number(0.652, 0.0755) == "0.652" and words.number(-0.03648, 0.0098) == "−0.0365"
    assert words.number(27357) == "27,357" and words.number(0.0) == "0" and words.number(None) == "–"
    assert words.chance(0.00001) == "below 0.0001" and words.chance(0.0123) == "0.012"


def test_no_number_is_less_than_nothing_by_its_sign_alone():
    assert words.number(-0.0004, 0.1) == "0.00" and words.number(-0.0) == "0" and words.number(-0.06, 0.1) == "−0.06"
    assert IMAGE.in_short(-0.001).startswith("0.0 dB") and OCCUPANCY.in_short(-0.0003) == "IoU 0.000"
