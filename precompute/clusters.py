"""What guidance by clusters does where there is one class: `python -m precompute.clusters`. Resumable.

Of people, mLoRA-Asym: without clusters, and with 5, 10 and 14 in the place of classes, each trained by the same rule as
every model, and sampled as it was trained and at the preset's guidance. Written to assets/reports/clusters.{json,md}.
"""

import json
from dataclasses import replace

import pandas as pd
import torch

from precompute.diffusion_search import searched
from precompute.generators import SECONDS, THREADS
from precompute.judging import COUNT, STEPS, Judge, train
from precompute.tables import markdown
from wsr.diffusion import diffusion_preset
from wsr.diffusion.jobs import training_of
from wsr.paths import assets_dir, atomic_path
from wsr.zoo import Zoo

DATASET, KIND = "emoji-people", "mlora-asym"
CLUSTERS = (0, 5, 10, 14)  # 14: no more than one for each fifty weights


def main() -> None:
    path, name = assets_dir() / "reports" / "clusters.json", f"{DATASET}-{KIND}"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    preset = diffusion_preset("cpu", KIND)
    for count in CLUSTERS:
        if any(row["clusters"] == count for row in rows):
            continue
        training = training_of(Zoo.open(name), replace(preset, lr=searched()[KIND]["lr"], clusters=count))
        train(training, SECONDS[DATASET], f"{count} clusters")
        judge, about = Judge(name), {"clusters": count, "steps": training.best.step}
        for guidance in (1.0, preset.guidance) if count else (1.0,):
            samples = training.model.sample(COUNT, steps=STEPS, guidance=guidance)
            rows.append(about | {"guidance": guidance, **judge(samples)})
            print(rows[-1], flush=True)
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps({"zoo": name, "samples": COUNT, "rows": rows}, indent=1))
    with atomic_path(path.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    main()
