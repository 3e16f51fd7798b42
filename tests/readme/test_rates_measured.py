"""The numbers of MEASURED.md about fits at each representation's own best rate are those of the report."""

import pytest

import wsr
from tests.readme.readme_text import is_said, report, says, table

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def test_table_1_of_faces_at_best_rates():
    found, read = report("own-rates-faces"), {}
    for row in found["rows"]:
        read[row["representation"], round(row["kappa std"], 2)] = row["faces PSNR"], row["faces PSNR ±"]
    for line, kappa in (("PSNR (dB), √6", 2.45), ("PSNR (dB), 6", 6.0)):
        for name, cell in zip(wsr.representations, table("## Reconstruction", 2)[line], strict=True):
            is_said(cell, *read.get((name, kappa), read[name, 6.0]))
    order = {(row["better"], row["worse"]): row for row in found["order"]}
    for phrase, pair, sign in (
        ("by 1.87 ± 0.15 dB", ("lora", "mlp"), 1), ("mLoRA is ahead by 0.38 ± 0.18", ("mlora", "mlp"), 1),
        ("mLoRA-Asym by 0.28 ± 0.17", ("mlora-asym", "mlp"), 1),
        ("LoRA is 1.59 ± 0.10 dB ahead", ("mlora-asym", "lora"), -1),
        ("LoRA-Asym 1.54 ± 0.10", ("mlora-asym", "lora-asym"), -1),
        ("mLoRA is 0.11 ± 0.06 ahead", ("mlora-asym", "mlora"), -1),
    ):  # fmt: skip
        says(phrase)
        is_said(phrase, sign * order[pair]["by"], order[pair]["±"])
    usual = next(row["faces PSNR"] for row in report("table1-faces")["rows"] if row["representation"] == "mlp")
    says(f"the two runs differ by {usual - read['mlp', 6.0][0]:.2f} dB")
    trials = {key.removeprefix("faces-").rpartition("-")[0]: len(tried) for key, tried in found["attempts"].items()}
    adapters = [trials[name] for name in wsr.representations if "lora" in name]
    assert trials["mlp"] == trials["mlp-asym"] == 6
    says(f"{min(adapters)} to {max(adapters)} trials, MLPs six")
    phrase = "4.5 dB with a standard deviation of 6, 0.9 dB with √6"
    says(phrase)
    costs = [read["mlp", 6.0][0] - read["mlp-asym", kappa][0] for kappa in (6.0, 2.45)]
    is_said("4.5, 0.9", *costs)
    assert round(5 * (costs[0] - costs[1]) / costs[0]) == 4
    assert found["instances"] == 12 and {row["instances"] for row in order.values()} == {100}
