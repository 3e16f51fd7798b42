"""The numbers of MEASURED.md on fits are those of assets/reports: quality, speed, probes and linear modes."""

import re

import numpy as np
import pytest

import wsr
from precompute.experiments.learnability import LEVERS
from tests.readme.readme_text import LABELS, TEXT, cells_of, is_said, numbers, report, says, table
from wsr.analysis.probes import PROTOCOLS
from wsr.fields.portable import operations
from wsr.presets import PROTOCOLS as FITS_AS
from wsr.stats import paired
from wsr.zoo import Zoo

MLPS = ("mlp", "mlp-asym")
pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def test_what_a_picture_costs_in_the_page():
    zoos = [Zoo.open(f"emoji-{name}") for name in ("mlora-asym", "mlp")]
    adapter, mlp = (64**2 * operations(zoo.representation) / 1e9 for zoo in zoos)
    says(f"adapter takes {adapter:.2f} billion multiplications", f"MLP {mlp:.2f} (`wsr.fields.portable.operations`)")


def test_counts_of_weights():
    for name, cells in table("## The six representations").items():
        for cell, preset in zip(cells[-2:], ("cpu", "paper"), strict=True):
            is_said(cell, wsr.count_parameters(name.strip("`"), preset, 2))
    for preset, dim, said in (("paper", 2, "24,576 and 23,808"), ("paper", 3, "24,576 and 24,024")):
        counts = [wsr.count_parameters(name, preset, dim) for name in ("lora", "lora-asym")]
        assert f"{counts[0]:,} and {counts[1]:,}" == said
        says(said)


def test_table_1():
    found = report("table1")
    rows = {row["representation"]: row for row in found["rows"]}
    for label, (psnr, emoji, iou, chamfer, shapes, paper, paper_chamfer) in table("## Reconstruction").items():
        row = rows[LABELS[label]]
        is_said(psnr, row["emoji PSNR"], row["emoji PSNR ±"])
        is_said(iou, row["shapes10 IoU"], row["shapes10 IoU ±"])
        is_said(chamfer.replace("×10²", ""), row["shapes10 CD ×10²"], row["shapes10 CD ×10² ±"])
        is_said(f"{emoji} {shapes}", row["emoji seconds"], row["shapes10 seconds"])
        is_said(f"{paper} {paper_chamfer}", row["paper PSNR"], row["paper CD ×10²"])
    says(f"one and the same surface are {found['CD ×10² floor']:.2f} apart")
    order = {(row["measure"], row["better"], row["worse"]): row for row in found["order"]}
    for worse, phrase in (("lora", "LoRA is 0.39 ± 0.09 dB ahead"), ("lora-asym", "LoRA-Asym 0.34 ± 0.09"),
                          ("mlora", "mLoRA 0.14 ± 0.04")):  # fmt: skip
        row = order["emoji PSNR", "mlora-asym", worse]
        says(phrase)
        is_said(phrase, -row["by"], row["±"])
        assert row["verdict"] == "refuted"
    adapters = [row for row in found["order"] if row["worse"] in MLPS]
    assert all(row["verdict"] == "confirmed" for row in adapters if "CD" not in row["measure"])
    ranges = (
        (MLPS[:1], "emoji PSNR", "+1.9 to +2.3 dB"), (MLPS[1:], "emoji PSNR", "+6.8 to +7.2"),
        (MLPS, "shapes10 IoU", "+0.006 to +0.013 of IoU"),
    )  # fmt: skip
    for worse, measure, phrase in ranges:
        gains = [row["by"] for row in adapters if row["worse"] in worse and row["measure"] == measure]
        says(phrase)
        is_said(phrase.replace("+", ""), min(gains), max(gains))
    chamfers = [row["shapes10 CD ×10²"] for row in found["rows"]]
    says("all six are within 0.05 of each other, and within 0.23 of the distance between")
    assert max(chamfers) - min(chamfers) < 0.055
    is_said("0.23", max(chamfers) - found["CD ×10² floor"])


def test_table_1_of_faces():
    told = table("## Reconstruction", 1)["PSNR (dB)"]
    for cell, row in zip(told, report("table1-faces")["rows"], strict=True):
        is_said(cell, row["faces PSNR"], row["faces PSNR ±"])


def test_what_the_rule_for_learning_rates_costs():
    rates = report("learning-rates-emoji")
    costs = {}
    for name, tried in rates["quality"].items():
        chosen = rates["chosen"][name]
        taken = next(row["mean"] for row in tried.values() if {key: row[key] for key in chosen} == chosen)
        costs[name] = max(row["mean"] for row in tried.values()) - taken
    phrase = "costs LoRA 0.87 dB, mLoRA-Asym 0.54, mLoRA 0.41 and the MLP nothing"
    says(phrase)
    is_said(phrase, *(costs[name] for name in ("lora", "mlora-asym", "mlora")))
    assert costs["mlp"] == 0


def test_qualities_by_class():
    for zoo, number in (("emoji-mlora-asym", 3), ("shapes10-mlora-asym", 4)):
        index = Zoo.open(zoo).index
        means = index[index["split"] == "heldout"].groupby("class")["quality"].mean()
        below = TEXT[TEXT.index("\n## Reconstruction") :]
        lines = re.findall(r"(?:^\|.*\n)+", below, re.M)[number].splitlines()
        classes, values = (cells_of(line)[1:] for line in (lines[0], lines[2]))
        assert classes == sorted(means.index)
        for cls, value in zip(classes, values, strict=True):
            is_said(value, means[cls])


def test_speeds():
    rows = table("## Speed")
    for i, data in enumerate(("emoji", "shapes10")):
        found = report(f"bench-fit-{data}")
        same, equal, batched = found["peer_same_steps"], found["peer_equal_quality"], found["batched"]
        cell = {name: cells[i] for name, cells in rows.items()}
        rates = [found["product_rate"][kind] / 1e9 for kind in ("bfloat16", "float32")]
        is_said(cell["product rate, bf16 (in use) and fp32"], *rates)
        points = 1000 * round(batched["points_per_second"] / 1000)
        is_said(cell["batched fit"], batched["seconds"], points, batched["quality"])
        is_said(cell["its share of the bf16 rate"], 100 * found["share_of_bf16_rate"])
        is_said(cell["peer, same steps"], same["seconds"], same["quality"], found["speedup_same_steps"])
        said = equal["seconds"], equal["steps"], equal["quality"], batched["steps"], found["speedup_equal_quality"]
        is_said(cell["peer, at least our quality"], *said)
    emoji = report("bench-fit-emoji")
    says(f"the peer's is {emoji['peer_equal_quality']['quality'] - emoji['batched']['quality']:.2f} dB better")
    growth = {row["instances"]: row for row in report("bench-growth")}
    seconds = [1000 * growth[count]["seconds"] for count in growth if count >= 256]
    memory = [row["peak_bytes"] / 2**30 for row in growth.values()]
    says(
        f"{min(seconds):.0f} to {max(seconds):.0f} ms from 256 to 4,096", f"{1000 * growth[64]['seconds']:.0f} ms of 64"
    )
    says(f"memory peaks at {min(memory):.1f} to {max(memory):.1f} GiB")
    surfaces = report("bench-surfaces")
    fast, slow = surfaces["hierarchical_seconds"], surfaces["dense_seconds"]
    says(f"{surfaces['speedup']:.1f} times as fast ({fast:.1f} s instead of {slow:.0f} s)")
    says(f"({surfaces['same_surface']} of {surfaces['instances']})")


def test_speeds_on_a_gpu():
    found = report("gpu-report")
    stages, cells = {name: stage["result"] for name, stage in found["stages"].items()}, table("## On a GPU")
    sizes = {"fits a second, 64 at once": (64, "eager"), "256 at once, which zoos use": (256, "eager"),
             "256 at once, compiled with CUDA graphs": (256, "inductor"), "1,024 at once": (1024, "eager"),
             "4,096 at once": (4096, "eager")}  # fmt: skip
    for i, preset in enumerate(("cpu", "paper")):
        rows = {(row["instances"], row["backend"]): row for row in stages[f"fits at {preset}"]["rows"]}
        for name, size in sizes.items():
            if "error" in rows[size]:
                assert cells[name][i] == "more than 80 GB" and "do not fit into the memory" in rows[size]["error"]
            else:
                is_said(cells[name][i], rows[size]["fits_per_second"])
        compiled = rows[256, "inductor"]
        is_said(cells["its share of the card's own rate of bf16 products"][i], 100 * compiled["share_of_rate"])
        is_said(cells["its peak of memory"][i], compiled["peak_bytes"] / 2**30)
        steps = [row["steps_per_second"] for row in stages["training"][f"base_{preset}"]]
        is_said(cells["training steps of a base a second, first and last stage"][i], steps[0], steps[-1])
        is_said(cells["samples a second, 100 steps, 64 at once"][i], stages["sampling"][preset]["samples_per_second"])
    assert stages["tests"]["counts"] == {"passed": 7, "failed": 0, "skipped": 0}
    said, trained = stages["tests"]["outcomes"]["test_bf16_is_as_good_as_fp32"], stages["training"]["diffusion_paper"]
    says(f"passed its seven tests and took {found['seconds']:.0f} s", f"{said['fp32_dB'] - said['bf16_dB']:.2f} dB")
    says(f"{max(stages['machine']['largest_difference_to_cpu'].values()):.5f}", stages["machine"]["torch"][:4])
    says(f"{trained['parameters']:,} parameters", f"{trained['steps_per_second']:.2f} steps a second")
    says(f"{trained['peak_bytes'] / 2**30:.1f} GiB")
    speed = {(row["modality"], row["resolution"]): row["per_second"] for row in stages["decoding"]["rows"]}
    says(f"{speed['image', 128]:,.0f} pictures", f"96³, {speed['occupancy', 96]:.1f} shapes")


def test_what_passes_on_a_gpu_today():
    stages = {name: stage["result"] for name, stage in report("gpu-tests")["stages"].items()}
    assert stages["tests"]["counts"] == {"passed": 8, "failed": 0, "skipped": 0}
    trained = stages["tests"]["outcomes"]["test_a_captured_training_is_that_of_single_kernels"]
    captured, single = (trained[f"steps_per_second_{name}"] for name in ("captured", "single"))
    compiled = next(row for row in stages["fits at cpu"]["rows"] if row["backend"] == "inductor")
    says(f"{captured:.0f} steps a second instead of {single:.0f}", f"({compiled['fits_per_second']:.0f} a second)")


def additive(key: tuple[str, str, str, str]) -> bool:
    """Whether a row of table 4's order compares multiplicative adapters with additive ones."""
    return "mlora" in key[2] and key[3] in ("lora", "lora-asym")


def test_table_4():
    found = report("table4")
    rows = {(row["data set"], row["protocol"], row["representation"]): row for row in found["rows"]}
    measures = ("1-NN", "logistic", "ARI")
    for label, cells in table("## What simple methods read").items():
        for cell, (data, measure) in zip(
            cells, [(d, m) for d in ("emoji", "shapes10") for m in measures], strict=False
        ):
            raw, prepared = (rows[data, protocol, LABELS[label]] for protocol in PROTOCOLS)
            is_said(cell, raw[measure], raw[f"{measure} sd"], *([] if measure == "ARI" else [prepared[measure]]))
        for cell, measure in zip(cells[6:], measures, strict=True):
            is_said(cell, rows["shapes10", "raw", LABELS[label]][f"paper {measure}"])
    order = {
        (row["data set"], row["measure"], row["better"], row["worse"]): row
        for row in found["order"] if row["protocol"] == "raw"
    }  # fmt: skip
    for measure, by, half in (("logistic", "3.8 to 6.5", "1.8 to 2.8"), ("ARI", "3.6 to 9.5", "2.3 to 4.9")):
        part = [row for key, row in order.items() if key[:2] == ("shapes10", measure) and additive(key)]
        is_said(by, *(edge(row["by"] for row in part) for edge in (min, max)))
        is_said(half, *(edge(row["±"] for row in part) for edge in (min, max)))
        assert {row["verdict"] for row in part} == {"confirmed"}
    nearest = {key[2:]: row for key, row in order.items() if key[:2] == ("shapes10", "1-NN")}
    for pair, said in (
        (("mlora", "lora"), "1.9"), (("mlora-asym", "lora"), "3.4"), (("lora", "mlp"), "4.0"),
        (("lora-asym", "mlp"), "5.5"),
    ):  # fmt: skip
        is_said(said, nearest[pair]["by"])
        assert nearest[pair]["verdict"] == "confirmed"
    assert {nearest[a, "lora-asym"]["verdict"] for a in ("mlora", "mlora-asym")} == {"open"}
    behind = [row for key, row in order.items() if key[:2] == ("emoji", "1-NN") and additive(key)]
    is_said("11 to 13", *(edge(-row["by"] for row in behind) for edge in (min, max)))


def test_what_makes_weights_learnable():
    rows = {row["lever"]: row for row in report("learnability")["rows"] if row["data set"] == "shapes10"}
    said = table("| shapes10, mLoRA-Asym |")
    levers = ("paper-like", "encoded", "encoded, rate × ½, steps × 2")
    for cells, lever in zip(said.values(), levers, strict=True):
        for cell, name in zip(cells, ("quality", "noise share", "span of 800", "R²", "FD"), strict=True):
            is_said(cell, rows[lever][name])
    assert report("learnability")["chosen"]["shapes10"] == levers[2]
    assert FITS_AS["structured"]["occupancy"] == LEVERS[levers[2]]


def figure_3(data: str) -> dict[tuple, dict]:
    keys = ("representation", "series", "sigma", "lambda")
    return {tuple(row[key] for key in keys): row for row in report(f"figure3-{data}")["rows"]}


def test_the_papers_starts():
    rows = {(row["representation"], row["lambda"]): row["raw"] for row in report("zero-starts-shapes10")["rows"]}
    for label, cells in table("**From the paper's starts**").items():
        for value, (drop, rise) in ((1.0, cells[:2]), (0.0, cells[2:])):
            is_said(drop, (raw := rows[LABELS[label], value])["drop"]["mean"], raw["drop"]["sd"])
            is_said(rise, raw["rise"]["mean"], raw["rise"]["sd"])
    drops, rises = ({name: np.array(rows[name, 1.0][key]) for name, _ in rows} for key in ("drops", "rises"))
    gain, far = (paired(of["mlora"], of["mlora-asym"]) for of in (drops, rises))
    says(f"by {gain.mean:.3f} (95 % interval {gain.low:.3f} to {gain.high:.3f}; Chamfer {far.mean:.1f}, {far.low:.1f}")
    gain, level = paired(drops["mlora-asym"], drops["lora-asym"]), paired(drops["lora"], drops["lora-asym"])
    says(f"LoRA-Asym by {gain.mean:.3f}, {gain.low:.3f} to {gain.high:.3f}")
    again = {row["representation"]: row["raw"] for row in report("figure3-shapes10")["rows"]
             if (row["series"], row["lambda"], row["sigma"]) == ("normal", 1.0, 1.0)}  # fmt: skip
    gain = paired(*(np.array(again[name]["drops"]) for name in ("mlora", "mlora-asym")))
    says(f"has {gain.mean:.3f} ({gain.low:.3f} to {gain.high:.3f})")
    says(f"not LoRA's ({level.mean:.3f}, {level.low:.3f} to {level.high:.3f})".replace("-", "−"))


def test_really_independent_starts():
    wide = {data: report(f"wide-starts-{data}")["rows"] for data in ("shapes10", "emoji")}
    for label, (cosine, *cells) in table("**Really independent starts, all positive.**").items():
        for cell, rows in zip(cells, wide.values(), strict=True):
            row = next(row for row in rows if (row["representation"], row["sigma"]) == (LABELS[label], 1.52))
            is_said(cosine, row["start_cosine"])
            is_said(cell, row["raw"]["drop"]["mean"], row["raw"]["drop"]["sd"])
    drops = {row["representation"]: np.array(row["raw"]["drops"]) for row in wide["shapes10"] if row["sigma"] == 1.52}
    gain = paired(drops["mlora"], drops["mlora-asym"])
    says(f"({gain.mean:.3f}, 95 % interval {gain.low:.3f} to {gain.high:.3f})".replace("-", "−"))
    half = [row["raw"]["drop"]["mean"] for row in wide["emoji"] if row["representation"] == "mlora"][:2]
    says("{:.1f} and {:.1f} dB".format(*half))


@pytest.mark.parametrize("title, data", [("**Shapes** at λ = 1", "shapes10"), ("**Emoji** at λ = 1", "emoji")])
def test_figure_3(title, data):
    found = figure_3(data)
    for label, (cosine, own, *cells) in table(title).items():
        row = found[LABELS[label], "own", 0.02, 1.0]
        is_said(cosine, row["cosine"]["mean"], row["cosine_floor"])
        is_said(own, row["raw"]["drop"]["mean"], row["raw"]["drop"]["sd"])
        if data == "shapes10":
            is_said(cells.pop(0), row["raw"]["rise"]["mean"])
        is_said(cells[0], row["aligned"]["drop"]["mean"])
        for cell, sigma in zip(cells[1:], (0.02, 0.1, 0.3), strict=True):
            drop = found[LABELS[label], "spread", sigma, 1.0]["raw"]["drop"]
            is_said(cell, *[drop["mean"], drop["sd"]][: len(numbers(cell))])
    if data == "shapes10":
        for sigma, phrase in ((0.02, "0.017 ± 0.011 lower"), (0.1, "0.007 ± 0.013 lower")):
            drops = [
                np.array(found[name, "spread", sigma, 1.0]["raw"]["drops"]) for name in ("lora-asym", "mlora-asym")
            ]
            gain = paired(*drops)
            says(phrase)
            is_said(phrase, gain.mean, gain.half)
    starts = found["mlora-asym", "own", 0.02, 1.0]["start_cosine"]
    says("two starts have a cosine of 0.9997")
    is_said("0.9997", starts)


def test_what_moves_the_barrier():
    rows = {(row["representation"], row["lever"]): row for row in report("barrier-levers")["rows"]}
    for lever, cells in table("**What moves the barrier.**").items():
        for name, (quality, barrier, cosine) in (("mlora-asym", cells[:3]), ("lora-asym", cells[3:])):
            row = rows.get((name, lever))
            if row is None:
                assert (quality, barrier, cosine) == ("–",) * 3
                continue
            is_said(quality, row["ends"])
            is_said(barrier, row["drop"], row["drop se"])
            is_said(cosine, row["change cosine"])
