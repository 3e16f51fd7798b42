"""Snapshots of 200 fits at five steps, of emoji (of people, as the generators learn them) and of shapes, as zoos:
`python -m precompute.trajectories`. Resumable."""

import sys

from precompute.bases import prepare
from precompute.selection import zoo_signals
from precompute.zoos import INIT_SEED, SIGMA
from wsr.fitting.fit import default_device, representation_for
from wsr.paths import assets_dir
from wsr.presets import preset
from wsr.progress import bar
from wsr.zoo import Zoo
from wsr.zoo.trajectories import build_trajectories

INSTANCES = 200
PARTS = (0.02, 0.1, 0.3, 0.6, 1.0)  # of the steps: losses fall fast at first


def main(dataset: str, representation: str = "mlora-asym") -> None:
    base = dataset.partition("/")[0]
    prepare(base)
    signals = zoo_signals(dataset)[:INSTANCES]
    steps = preset("cpu", signals.modality).fit.steps
    zoo = Zoo.create(
        assets_dir() / "zoos" / f"{dataset.replace('/', '-')}-{representation}-trajectories",
        representation_for(representation, base, signals.modality),
        dataset=dataset,
        preset="cpu",
        init="centered",
        sigma=SIGMA,
        init_seed=INIT_SEED,
        steps=steps,
        snapshots=[round(steps * part) for part in PARTS],
    )
    with bar(zoo.path.name) as update:
        for record in build_trajectories(zoo, signals, zoo.meta["snapshots"], device=default_device()):
            update(record.done, record.total, f"quality {record.quality:.3f}")


if __name__ == "__main__":
    for name in sys.argv[1:] or ("emoji/people", "shapes10"):
        main(name)
