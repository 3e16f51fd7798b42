"""How samples should be drawn: `python -m precompute.sampling`. Resumable.

Of mLoRA-Asym on both data sets: the noise from which the last step leads straight to the weights, how much the class
counts (where there are several), and the number of steps, one setting at a time away from what is used. Written to
assets/reports/sampling.{json,md}.
"""

import torch

from precompute.generators import DATASETS
from precompute.judging import COUNT, STEPS, Judge
from precompute.tables import Report
from wsr.generators.diffusion import load_diffusion
from wsr.generators.jobs import SAMPLING_VERSION

SETTINGS = (
    {}, {"final_noise": 0.0}, {"final_noise": 0.5}, {"guidance": 1.0}, {"guidance": 4.0}, {"steps": 100},
)  # fmt: skip


def main() -> None:
    models = {name: load_diffusion(name) for name in (f"{dataset}-mlora-asym" for dataset in DATASETS)}
    depends = {"models": {name: model.fingerprint() for name, model in models.items()}, "samples": COUNT}
    report = Report("sampling", depends=depends | {"version": SAMPLING_VERSION}, zoos=models, samples=COUNT)
    for name, model in models.items():
        judge = None
        for setting in SETTINGS:
            if "guidance" in setting and len(model.classes) < 2:
                continue
            used = {"final_noise": model.config.final_noise, "guidance": model.config.guidance, "steps": STEPS}
            used |= setting
            row = {"model": name, "end": used["final_noise"], "guidance": used["guidance"], "steps": used["steps"]}
            if not report.has(**row):
                judge = judge or Judge(name)
                report.add({**row, **judge(model.sample(COUNT, **used))})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
