"""What MEASURED.md says of several machines is what its reports say."""

from tests.readme.readme_text import TEXT, cells_of, is_said, report, says


def test_what_ray_costs():
    found = report("cluster-speed")
    threads, whole, killed = found["rows"]
    assert found["same"] and (found["fits"], killed["killed"]) == (200, 2)
    assert (round(whole["of threads"], 2), round(killed["of threads"], 2)) == (0.87, 1.05)
    later = [row["until the first batch"] - threads["until the first batch"] for row in (whole, killed)]
    assert [round(one) for one in later] == [23, 24]
    says("at 0.87 of the rate of two threads", "and at 1.05 of it where two of the four are killed",
         "need 23 to 24 seconds longer than threads")  # fmt: skip


def test_a_million_fits():
    found = report("million")
    hours, weights, last = found["hours"], found["weights"], found["rows"][-1]
    rows = [hours[key] for key in ("emoji, 100 machines", "shapes10, 100 machines", "cpu preset, 8 GPUs")]
    section = TEXT.partition("## A million fits")[2].partition("\n## ")[0]
    stated = [cells_of(line)[-1] for line in section.splitlines() if line.startswith("|")][2:]
    for cell, value in zip(stated, [*rows, hours["paper preset, 8 GPUs"]], strict=True):
        is_said(cell, value)
    says(
        f"rows are {last['megabytes']:.0f} MB", f"{last['seconds to write']:.1f} CPU seconds to write and "
        f"{last['seconds to read']:.1f} to read", f"{last['megabytes'] / 2:.0f} MB/s on a shared folder",
        f"{weights['gigabytes']:.1f} GB in {weights['files']:,} files",
    )  # fmt: skip
