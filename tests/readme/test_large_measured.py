"""The numbers of MEASURED.md on generators that have learnt from the large zoos are those of assets/reports."""

from statistics import fmean

import numpy as np
import pytest

from tests.readme.readme_text import LABELS, is_said, report, says, table

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

GENERATED = {"MLP (HyperDiffusion)": "mlp", **LABELS}


@pytest.mark.parametrize("title, data", [("## Faces: a generator", "faces"), ("## Shapes: five times", "shapes10")])
def test_choices_for_the_large_zoos(title, data):
    """What the search and the sampling have found on the validation split."""
    searched, drawn = report(f"large-search-{data}"), report(f"large-sampling-{data}")
    for label, cells in table(title).items():
        trials = [row for row in searched["rows"] if row["representation"] == GENERATED[label]]
        tried = [row for row in drawn["rows"] if row["representation"] == GENERATED[label]]
        best = min(tried, key=lambda row: row["FD"])
        loss = min(row["validation loss"] for row in trials)
        for cell, value in zip(cells, (len(trials), loss, best["FD"], best["MMD-P"]), strict=True):
            is_said(cell, value)
    says(f"at most {searched['trials']} trials of {searched['seconds']} s")


def test_what_the_search_of_shapes_has_changed():
    rows = report("large-search-shapes10")["rows"]

    def loss(**how) -> float:
        (found,) = [row for row in rows if all(row[axis] == value for axis, value in how.items())]
        return found["validation loss"]

    flat = {"representation": "mlp", "width": 320, "depth": 1, "lr": 1e-3, "decay_steps": None}
    says("tokens of 640 numbers, which takes their loss from {:.3f} to {:.3f}".format(
        *(loss(**flat, token_size=size) for size in (None, 640))
    ))  # fmt: skip
    ours = {"representation": "mlora-asym", "depth": 1, "lr": 2e-3, "decay_steps": None}
    with_it, without = (loss(**ours, width=320, encoder=encoder) for encoder in (True, False))
    wide = loss(**ours, width=448, encoder=False)
    says(f"takes its loss from {with_it:.3f} to {without:.3f}, and at a width of 448 to {wide:.3f}")
    assert min(row["validation loss"] for row in rows) == wide


def scaled(data: str, count: int, cells_of: dict[str, list[str]]) -> dict[tuple[str, str], float]:
    """Checks the seeds, FD, MMD-P and floor that rows of a table state of generators of `count` fits. Returns means."""
    rows, means = report(f"scaling-{data}")["rows"], {}
    for label, cells in cells_of.items():
        own = [row for row in rows if row["representation"] == GENERATED[label] and row["count"] == count]
        is_said(cells[0], len(own))
        for cell, name in zip(cells[1:3], ("FD", "MMD-P"), strict=True):
            values = [row[name] for row in own]
            is_said(cell, np.mean(values), np.std(values, ddof=1))
            means[label, name] = np.mean(values)
        is_said(cells[-1], own[0]["FD of fits"])
        if "novel" in own[0]:
            means[label, "called"] = np.mean([1 - row["novel"] for row in own])
    return means


@pytest.mark.parametrize("title, data, count", [
    ("## Faces: a generator", "faces", 10_000), ("## Shapes: five times", "shapes10", 4_000),
])  # fmt: skip
def test_large_generators_on_the_test_split(title, data, count):
    stated = table(title, 1)
    means = scaled(data, count, stated)
    for label, cells in stated.items():
        if (label, "called") in means:
            is_said(cells[3], 100 * means[label, "called"])
    fd, mmd = (means["MLP (HyperDiffusion)", name] / means["mLoRA-Asym", name] for name in ("FD", "MMD-P"))
    says(f"FD is {fd:.1f} times lower and MMD-P {mmd:.1f} times")


MEASURES = {name: (name, 1) for name in ("FD", "validation loss", "recall %", "span share")}
MEASURES |= {"copies %": ("replica", 100), "blends %": ("blend", 100)}


def test_the_scaling_law_of_shapes():
    rows, counts = report("scaling-shapes10")["rows"], (100, 400, 1_600, 4_000)
    for line, cells in table("**The scaling law**").items():
        measure, label = line.split(", ", 1)
        name, unit = MEASURES[measure]
        for cell, count in zip(cells, counts, strict=True):
            own = [row[name] for row in rows if (row["representation"], row["count"]) == (GENERATED[label], count)]
            assert len(own) == 3
            is_said(cell, unit * fmean(own))


def test_copies_among_faces():
    found = report("audit-faces-large-mlora-asym")
    shares = {name: 1 - found["summaries"][name]["novel"] for name in ("diffusion", "held out")}
    says("Of 256 samples {:.0f} % are called copies, and of 200 held-out fits {:.0f} %".format(
        *(100 * share for share in shares.values())
    ))  # fmt: skip
    assert all(share == 1 for share in found["planted"].values())


def test_shapes_of_the_large_zoo():
    found = report("generation-shapes10-large-mlora-asym")
    named = found["classifier_accuracy"]
    rows = {row["set"]: row for row in found["rows"] if row["against"] == "heldout"}
    for label, kind, share in (("samples", "samples", found["zoo"]), ("training fits", "floor", "held out")):
        cells, row = table("**Of what assets/ holds**")[label], rows[kind]
        is_said(cells[0], row["FD"], row["FD sd"])
        is_said(cells[1], row["MMD-P"], row["MMD-P sd"])
        is_said(cells[2], 100 * row["floating pieces"], 100 * row["floating pieces sd"])
        is_said(cells[3], 100 * named[share])
    assert {row["count"] for row in rows.values()} == {200} and found["samples"] == 256
    before = next(row for row in report("table3")["rows"] if (row["representation"], row["set"], row["against"]) == (
        "mlora-asym", "samples", "heldout"))  # fmt: skip
    says(f"has an FD of {before['FD']:.3f} (Table 3 above, three seeds)")
    copies = report("audit-shapes10-large-mlora-asym")["summaries"]
    shares = [100 * (1 - copies[name]["novel"]) for name in ("diffusion", "held out")]
    says("are {:.1f} % of 256 samples and {:.1f} % of 200 held-out fits".format(*shares))


def test_how_sure_classifiers_are_of_faces():
    *attributes, mean = report("certainty")["rows"]
    says(f"(hair, glasses, mouth and {({13: 'ten'})[len(attributes)]} more)")
    says(f"is {mean['samples']:.3f} for {mean['count']} samples and {mean['unseen fits']:.3f} for the {mean['count']}")
    low, high = -100 * mean["high"], -100 * mean["low"]
    says(f"{-100 * mean['difference']:.1f} points less (95 % interval {low:.1f} to {high:.1f};")


def test_sliders():
    found = report("sliders")
    (total,), rows = found["totals"], {row["slider"]: row for row in found["rows"]}
    says(f"{total['sliders']} sliders whose attribute a reader of pictures names in {100 * found['trusted']:.0f} %")
    says(f"on the {max(row['fits'] for row in rows.values())} test faces")
    says(f"as asked in {100 * total['moves']:.0f} %", f"stays in {100 * total['stays']:.0f} %")
    assert all(0.44 < rows[f"hair: {name}"]["moves"] < 0.56 for name in ("flat", "side part"))
    says(f"glasses in {100 * rows['glasses']['moves']:.0f} %")
    assert not any(name.startswith(("brows", "nose")) for name in rows)
