"""What guidance by clusters does where there is one class: `python -m precompute.clusters`. Resumable.

Of people, mLoRA-Asym: without clusters, and with 5 and 10 in the place of classes, each trained by the same rule as
every model, and sampled as it was trained and at the preset's guidance. Written to assets/reports/clusters.{json,md}.
"""

from dataclasses import replace

import torch

from precompute.diffusion_search import searched
from precompute.generators import SECONDS, THREADS
from precompute.judging import COUNT, STEPS, Judge, train
from precompute.tables import Report
from wsr.generators.diffusion import diffusion_preset
from wsr.generators.diffusion.jobs import training_of
from wsr.generators.diffusion.training import VERSION
from wsr.zoo import Zoo

DATASET, KIND = "emoji-people", "mlora-asym"
CLUSTERS = (0, 5, 10)


def main() -> None:
    name, preset = f"{DATASET}-{KIND}", diffusion_preset("cpu", KIND)
    config = replace(preset, lr=searched()[KIND]["lr"])
    depends = {"config": config, "seconds": SECONDS[DATASET], "samples": COUNT, "steps": STEPS, "training": VERSION}
    report = Report("clusters", depends=depends, zoos=[name], zoo=name, samples=COUNT)
    for count in CLUSTERS:
        if report.has(clusters=count):
            continue
        training = training_of(Zoo.open(name), replace(config, clusters=count))
        train(training, SECONDS[DATASET], f"{count} clusters")
        judge, rows, about = Judge(name), [], {"clusters": count, "steps": training.best.step}
        for guidance in (1.0, preset.guidance) if count else (1.0,):
            samples = training.model.sample(COUNT, steps=STEPS, guidance=guidance)
            rows.append(about | {"guidance": guidance, **judge(samples)})
        report.add(*rows)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    main()
