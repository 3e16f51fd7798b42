"""How samples should be drawn: `python -m precompute.sampling`. Resumable.

Of mLoRA-Asym on both data sets: the noise from which the last step leads straight to the weights, how much the class
counts (where there are several), and the number of steps, one setting at a time away from what is used. Written to
assets/reports/sampling.{json,md}.
"""

import json

import pandas as pd
import torch

from precompute.generators import DATASETS
from precompute.judging import COUNT, STEPS, Judge
from precompute.tables import markdown
from wsr.diffusion import load_diffusion
from wsr.paths import assets_dir, atomic_path

SETTINGS = (
    {}, {"end": 0.0}, {"end": 0.5}, {"guidance": 1.0}, {"guidance": 4.0}, {"steps": 100},
)  # fmt: skip


def main() -> None:
    path = assets_dir() / "reports" / "sampling.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    for dataset in DATASETS:
        name, judge = f"{dataset}-mlora-asym", None
        model = load_diffusion(name)
        for setting in SETTINGS:
            if "guidance" in setting and len(model.classes) < 2:
                continue
            used = {"end": model.config.end, "guidance": model.config.guidance, "steps": STEPS} | setting
            if any(row["model"] == name and {key: row[key] for key in used} == used for row in rows):
                continue
            judge = judge or Judge(name)
            rows.append({"model": name, **used, **judge(model.sample(COUNT, **used))})
            print(rows[-1], flush=True)
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps({"samples": COUNT, "rows": rows}, indent=1))
    with atomic_path(path.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
