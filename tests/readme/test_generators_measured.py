"""The numbers of MEASURED.md on generators and on the page are those of assets/reports."""

import re
from collections import defaultdict
from statistics import fmean

import pytest

from tests.readme.readme_text import LABELS, is_said, report, says, table

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU

GENERATED = {"MLP (HyperDiffusion)": "mlp", **LABELS,
             "the same, without the layer encoder": "mlora-asym without the layer encoder"}  # fmt: skip
OTHERS = {"floor: mLoRA-Asym's training fits": "floor", "mLoRA-Asym's training weights with noise 0.1": "replica"}
METRICS = ("MMD-G ×10³", "MMD-P", "FD", "mMD ×10³", "COV %", "1-NNA %")


@pytest.mark.parametrize("title, name, zoo, metrics", [
    ("**Shapes**, against", "table3", "shapes10", METRICS),
    ("**People**, emoji", "table-generation-emoji-people", "emoji-people", METRICS[:3]),
])  # fmt: skip
def test_tables_2_and_3(title, name, zoo, metrics):
    rows = [row for row in report(name)["rows"] if row["against"] == "heldout"]
    samples = {row["representation"]: row for row in rows if row["set"] == "samples"}
    for label, cells in table(title).items():
        if label in OTHERS:
            row = next(r for r in rows if (r["set"], r["representation"]) == (OTHERS[label], "mlora-asym"))
            for metric, cell in zip(metrics, cells[1:], strict=False):
                is_said(cell, row[metric])
            continue
        row = samples[GENERATED[label]]
        is_said(cells[0], row["seeds"])
        for metric, cell in zip(metrics, cells[1:], strict=False):
            values = [row[metric], row[f"{metric} sd"]] if row["seeds"] > 1 else [row[metric]]
            is_said(cell, *values)
        kind = row["representation"].partition(" ")[0]
        if zoo == "shapes10":
            told = report(f"generation-{zoo}-{kind}")
            flat = "without" in row["representation"]
            shares = told.get("classifier_accuracy") or told["named"]
            is_said(
                cells[7], 100 * fmean(v for k, v in shares.items() if k != "held out" and k.endswith("-flat") == flat)
            )
        if cells[len(metrics) + 1 + (zoo == "shapes10")] != "–":
            novel = report(f"audit-{zoo}-{kind}")["summaries"]["diffusion"]["novel"]
            is_said(cells[len(metrics) + 1 + (zoo == "shapes10")], 100 * (1 - novel))


def test_one_search_for_all_plain_generators():
    found, losses = report("unconditional-search-shapes10"), {}
    for row in found["rows"]:
        losses.setdefault((row["representation"], row["encoder"]), []).append(row["validation loss"])
    counts = {kind: len(tried) for kind, tried in losses.items()}
    assert (found["trials"], found["seconds"]) == (30, 90)
    assert max(counts.values()) < found["trials"]
    says(f"after {counts.pop(('mlp', True))} trials for the MLPs")
    says(f"after {min(counts.values())} to {max(counts.values())} for the others")
    begun = {kind: (min(tried[:2]), min(tried)) for kind, tried in losses.items()}
    best = min(found["rows"], key=lambda row: (row["representation"] != "mlp", row["validation loss"]))
    assert (best["token_size"], best["width"]) == (320, 640)
    for kind, said in (
        (("mlp", True), "from {} at the preset's network, with its better rate, to {}"),
        (("mlora-asym", True), "mLoRA-Asym falls from {} to {}"),
        (("mlora-asym", False), "without the layer encoder from {} to {}"),
        (("mlora", True), "of mLoRA from {} to {}"),
    ):
        says(said.format(*(f"{loss:.3f}" for loss in begun[kind])))


def test_plain_generators_of_shapes():
    kinds = {"mLoRA-Asym, without the layer encoder": ("mlora-asym", False)}
    kinds |= {label: (name, True) for label, name in GENERATED.items()}
    found = defaultdict(list)
    for row in report("unconditional-shapes10")["rows"]:
        found[row["representation"], row["encoder"]].append(row)
    headings = ("validation loss", "FD", "MMD-G ×10³", "MMD-P", "mMD ×10³", "COV %", "1-NNA %")
    for label, cells in table("| plain generators of shapes").items():
        rows = found.pop(kinds[label])
        is_said(cells[0], len(rows))
        is_said(cells[1].removesuffix(" M"), rows[0]["parameters"] / 1e6)
        for cell, heading in zip(cells[2:], headings, strict=True):
            is_said(cell, fmean(row[heading] for row in rows))
    assert not found


def test_what_is_decided_about_plain_generators():
    claims = {record["id"]: record for record in report("claims")["claims"]}
    for pair, verdict in (
        ("3.multi.fd.mlora>mlp", "confirmed"), ("3.multi.fd.mlora-asym>mlp", "confirmed"),
        ("5.fd.mlora-asym>mlora-asym-without-the-layer-encoder", "refuted"),
    ):  # fmt: skip
        record = claims[f"table{pair}"]
        ends = sorted(abs(record["difference"][end]) for end in ("low", "high"))
        says(f"{abs(record['difference']['mean']):.3f} ({ends[0]:.3f} to {ends[1]:.3f})")
        assert record["verdict"] == verdict and not record["reasons"]
    decided = [claims[f"table3.multi.{key}.mlora-asym>mlp"] for key in ("mmd", "cov", "1nna", "mmd_p")]
    assert {one["verdict"] for one in decided} == {"open"} and all(one["difference"]["mean"] < 0 for one in decided[:3])
    of_table_5 = [one["verdict"] for name, one in claims.items() if name.startswith("table5.")]
    assert sorted(of_table_5) == ["confirmed", *["refuted"] * 5]
    assert claims["table3.multi.mmd_g.mlora-asym>mlp"]["verdict"] == "confirmed"


def planted(data: str) -> dict[str, list[float]]:
    """The shares that are found of each kind, by representation, after asserting what both data sets have in common."""
    found = defaultdict(list)
    for row in report(f"planted-{data}")["rows"]:
        found[row["disguise"]].append(row["found"])
        assert row["n"] == 100 or row["disguise"].startswith("none")
    lines = ("line at 0.1", "line at 0.3", "line at 0.5")
    assert all(min(found[name]) == 1 for name in ("noise 0.5", "average of 4", *lines))
    return found


def test_what_the_audit_does_not_find_of_faces():
    found = planted("faces")
    assert found["permutation"][0] == 0, "the MLP comes first"
    eight, (*mlps, lora, lora_asym, mlora, mlora_asym) = found["average of 8"], found["average of 16"]
    says(f"of averages of eight {100 * min(eight):.0f} to {100 * max(eight):.0f} % are found")
    adapters = lora, lora_asym, mlora, mlora_asym
    assert min(adapters) == 0
    says(f"none to {100 * max(adapters):.0f} % where", f"but {100 * mlps[0]:.0f} and {100 * mlps[1]:.0f} % where")


def test_what_the_audit_does_not_find():
    found = planted("shapes10")
    assert found["permutation"][0] == max(found["average of 16"]) == 0, "the MLP comes first"
    says(f"of averages of eight {100 * min(found['average of 8']):.0f} to {100 * max(found['average of 8']):.0f} %")


def test_the_audit():
    audits = {
        (zoo, name): report(f"audit-{zoo}-{name}") for zoo in ("shapes10", "emoji-people") for name in LABELS.values()
    }
    false = sorted(found["false alarms"] for found in audits.values())
    says(f"{false[0]} to {false[-2]} are called copies in eleven of the twelve zoos, and {false[-1]} among the MLP's")
    assert audits["emoji-people", "mlp"]["false alarms"] == false[-1]
    assert all(min(found["planted"].values()) == 1 for found in audits.values())
    ours = audits["shapes10", "mlora-asym"]["summaries"]
    copies = {name: 1 - found["novel"] for name, found in ours.items()}
    far = {name: found["quality"] for name, found in ours.items()}
    replicas, blends = (100 * ours["p-diff"][word] for word in ("replica", "blend"))
    told = f"({100 * copies['p-diff']:.0f} %: {replicas:.0f} % replicas, {blends:.0f} % blends; {far['p-diff']:.2f})"
    says(told, f"({100 * copies['G.pt']:.0f} %; {far['G.pt']:.2f})", f"Ours: {100 * copies['diffusion']:.1f} %;")
    says(f"({far['Hyper-Representations']:.2f}; the Gaussian {far['Gaussian']:.2f})")
    people = audits["emoji-people", "mlora-asym"]["summaries"]
    average = "average of 16"
    assert all(found["summaries"][average]["novel"] == 1 for (zoo, name), found in audits.items()
               if zoo == "shapes10" or not name.startswith("mlp"))  # fmt: skip
    says("(of people's MLPs {:.0f} and {:.0f} %)".format(
        *(100 * audits["emoji-people", name]["summaries"][average]["novel"] for name in ("mlp-asym", "mlp"))
    ))  # fmt: skip
    says(f"(mLoRA-Asym: {people[average]['quality']:.2f} beside {people['diffusion']['quality']:.2f}, where",
         f"({ours[average]['quality']:.2f} beside {far['diffusion']:.2f})")  # fmt: skip
    says(f"People: p-diff copies {100 * (1 - people['p-diff']['novel']):.0f} %")


def test_what_else_was_measured():
    spans = report("spans")["rows"]
    for zoo in ("shapes10", "emoji-people"):
        part = [row for row in spans if row["zoo"] == f"{zoo}-mlora-asym"]
        says("{:.3f}, {:.3f} and {:.3f}".format(*(row["FD of unseen"] for row in part)))
    says(f"keeps {100 * spans[2]['share']:.0f} % of its variance (people: {100 * spans[5]['share']:.0f} %)")
    says(f"an IoU of {spans[2]['projected']:.2f} instead of {spans[2]['fits']:.2f}")
    assert [spans[at]["unseen"] for at in (0, 3)] == [160, 102]
    ours = [row for row in report("generation-shapes10-mlora-asym")["rows"] if row["set"] == "samples"]
    first = next(row for row in ours if row["model"] == "shapes10-mlora-asym" and row["against"] == "heldout")
    novel = report("audit-shapes10-mlora-asym")["summaries"]["diffusion"]["novel"]
    says(f"has an FD of {first['FD']:.3f}, with {100 * (1 - novel):.1f} % of copies")
    assert first["FD"] < min(row["FD of unseen"] for row in spans[:3]) and first["count"] == 200
    copies = {row["copies"]: row["FD"] for row in report("augmentation")["rows"]}
    says(f"{copies[1]:.3f} without copies, and {copies[2]:.3f}, {copies[4]:.3f} and {copies[8]:.3f} with")
    clusters = {(row["clusters"], row["guidance"]): row["FD"] for row in report("clusters")["rows"]}
    without, five, ten = (clusters[setting] for setting in ((0, 1.0), (5, 2.5), (10, 2.5)))
    says(f"{without:.3f} without, {five:.3f} with five clusters and {ten:.3f} with ten")
    found = {}
    for row in report("dimensions")["rows"]:
        found.setdefault(row["data set"], {})[row["of"]] = round(row["k = 10"])
    edges = {data: (of.pop("signals"), min(of.values()), max(of.values())) for data, of in found.items()}
    says("shapes have {} dimensions and their weights {} to {}".format(*edges["shapes10"]))
    says("emoji have {} and their weights {} (LoRA, LoRA-Asym) to {} (MLP)".format(*edges["emoji"]))
    says("people have {} and their weights {} to {}".format(*edges["emoji-people"]))


def test_what_a_visitor_waits_for():
    found, rows = report("live"), {first: cells[0] for first, cells in table("## What a visitor waits for").items()}
    says(f"once the server answers ({found['server_seconds']:.1f} s after the command)")
    is_said(rows[f"the map's points, once the server answers ({found['server_seconds']:.1f} s after the command)"],
            found["first_picture_seconds"])  # fmt: skip

    def between(cell: str, *values: list[float]) -> None:
        is_said(cell.replace("–", " "), *(edge(of) for of in values for edge in (min, max)))

    first, later = rows["the map to click on"].split(", later visitors")
    is_said(first, found["map_seconds"])
    between(later, found["map_again_seconds"])
    between(rows["a click on the map until its picture"], found["picture_seconds"])
    between(rows["a click on the map until its surface"], found["surface_seconds"])
    tabs = "Connect, Symmetry, Generate and Audit, from the click on their tab to a picture"
    is_said(rows[tabs], *found["tabs"].values())
    emoji, shapes = found["connect emoji"], found["connect shapes10"]
    opened = rows["Connect until its six pictures, opened by a link"]
    is_said(opened, emoji["first_seconds"], shapes["first_seconds"])
    between(rows["a step of α until six new pictures"], emoji["step_seconds"], shapes["step_seconds"])
    is_said(rows["Fit until an emoji passes 30 dB"], found["emoji"]["reached_seconds"])
    is_said(rows["Fit until a shape passes an IoU of 0.9"], found["chair"]["reached_seconds"])
    quality = re.search(r"([\d.]+) dB", found["photograph"]["end"])[1]
    photograph = f"Fit until a photograph is done, at {quality} dB (the base has seen emoji only)"
    is_said(rows[photograph], found["photograph"]["seconds"])
    parts = ("first_seconds", "drawn_seconds", "verdict_seconds", "stop_seconds")
    shapes = "sixteen new shapes: first pictures, all drawn, told from copies, Stop"
    for row, data in ((shapes, "shapes10"), ("sixteen new faces: the same", "faces-large")):
        is_said(rows[row], *(found[f"generate {data}"][part] for part in parts))
    large = report("large-map")
    cell = rows["a map of 100,000 networks: a frame while it is dragged (median), a click until its picture"]
    clicks = large["click_seconds"]
    is_said(cell.replace("–", " "), large["frame_ms_median"], min(clicks), max(clicks))


def test_many_visitors():
    found = report("visitors")
    actions = {"a click on the map of emoji, until its picture": "click emoji",
               "a click on the map of shapes, until what it is": "click shapes10",
               "a step of α, until six new pictures": "alpha",
               "Fit, until its first step is on screen": "fit"}  # fmt: skip
    for action, cells in table("## What a visitor waits for", 1).items():
        for cell, phase in zip(cells[1:], ("plain", "worst mesh"), strict=True):
            is_said(cell, *found[phase]["actions"][actions[action]]["first"][:2])
    assert not found["plain"]["errors"] and not found["worst mesh"]["errors"]
    rest = report("soak")
    clicks = {row["done"]: row for row in rest["rows"] if row["phase"] == "click"}
    reached, end = clicks[90]["megabytes"] / 1000, rest["rows"][-1]
    says(
        f"reached {reached:.1f} GB of resident memory after 90 clicks, and {end['megabytes'] / 1000:.1f} GB at the end"
    )
    says(f"Temporary files took {end['files']:.0f} MB", f"{rest['idle_cpu_seconds_a_minute'] / 0.6:.1f} % of a core")


def test_copies_by_the_length_of_a_training():
    rows = {}
    for row in report("regimes")["rows"]:
        rows.setdefault(row["generator"], []).append(row)
    told = table("**Trained for long, ours copies too")
    for label, name in (("our diffusion", "diffusion"), ("p-diff", "p-diff"), ("G.pt", "gpt"),
                        ("Hyper-Representations", "hyper-representations")):  # fmt: skip
        steps, *cells = told[label]
        assert steps == f"{rows[name][-1]['steps']:,}" and len(cells) == len(rows[name])
        for cell, row in zip(cells, rows[name], strict=True):
            is_said(cell, 100 * row["copies"], row["FD"])
    ours, theirs = rows["diffusion"], rows["p-diff"]
    assert [row["steps"] for row in ours] == [row["steps"] for row in theirs] and ours[2]["steps"] == 2000
    bounds = [f"{100 * theirs[2][key]:.0f}" for key in ("copies", "low", "high")]
    says(f"{bounds[0]} % ({bounds[1]} to {bounds[2]}) beside none (0 to {100 * ours[2]['high']:.1f}) after 2,000")
    last = [f"{100 * ours[3][key]:.0f}" for key in ("copies", "low", "high")]
    says(f"at 4,000, where {last[0]} % ({last[1]} to {last[2]}) are blends of two training weights and none is a "
         "replica")  # fmt: skip
    assert ours[3]["replica"] == 0 and theirs[3]["replica"] > theirs[3]["blend"]
    says(f"its FD of {theirs[3]['FD']:.3f} comes with {100 * theirs[3]['copies']:.0f} % of copies, and ours of "
         f"{ours[2]['FD']:.3f} with none")  # fmt: skip
    assert [row["copies"] > 0 for row in rows["gpt"]] == [False, False, False, True]
    assert not any(row["copies"] for row in rows["hyper-representations"])
