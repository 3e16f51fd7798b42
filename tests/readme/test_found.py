"""What the README says that was found is what the records of claims say, and its first screen says whose work it is."""

import re

import pytest

from tests.readme.readme_text import README, ROOT, numbers, report

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

BULLET = re.compile(r"^- \*\*([a-z ]+)\*\*: (.*) \(`([^`]+)`\)$")


def found() -> list[re.Match]:
    below = README[README.index("\n## What we found") : README.index("\n## Reproduce it")]
    bullets = [" ".join(one.split()) for one in re.findall(r"^- \*\*.*(?:\n  .*)*", below, re.M)]
    return [BULLET.match(one) or pytest.fail(f"this names no claim: {one}") for one in bullets]


def test_every_sentence_has_a_record_and_its_verdict():
    claims = {record["id"]: record for record in report("claims")["claims"]}
    assert len(found()) == 10
    for verdict, sentence, name in (one.groups() for one in found()):
        assert claims[name]["verdict"] == verdict, f"{name} is {claims[name]['verdict']} now"
        for number, half in numbers(re.sub(r"N\(0, I\)|10,000|4,000", "", sentence)):
            known = values(claims[name])
            assert any(abs(abs(one) - number) <= half * 1.001 for one in known), (number, sentence, known)


def values(record: dict) -> list[float]:
    """All numbers of a claim's record that a sentence may state."""
    sides = [side[key] for side in record["ours"] for key in ("mean", "half")]
    gain = [record["difference"][key] for key in ("mean", "low", "high")] if record["difference"] else []
    more = [one for one in record["more"].values() if isinstance(one, float)]
    return [one for one in (*sides, *gain, *more, *record["more"].get("start cosines", ())) if one is not None]


def test_learnt_from_so_many():
    for data, count in (("faces", 10_000), ("shapes10", 4_000)):
        assert max(row["count"] for row in report(f"scaling-{data}")["rows"]) == count


def test_the_first_screen_says_whose_work_it_is():
    first = " ".join(README[: README.index("\n## Start")].split())
    for words in ("independent reproduction", "`wsr.pytorch`", "EPFL-IVRL", "non-commercial licence", "not affiliated"):
        assert words in first
    assert len(README.splitlines()) <= 200 and README.count("\n# ") == 1


def test_the_generated_text_has_the_counts():
    text = (ROOT / "assets/reports/REPRODUCTION.md").read_text()
    counts = report("claims")["counts"]
    assert "| **together** | " + " | ".join(f"**{counts[word]}**" for word in counts) in text
    assert "## In scope, said plainly" in text and "not affiliated" in text
