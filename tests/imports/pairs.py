"""A training zoo of another program and samples of a generator, of which some are copies."""

import shutil
from pathlib import Path

import torch

from tests.imports import layouts

COPIES, NEW = 6, 4


def write(folder: Path) -> tuple[str, str]:
    """Writes SIRENs of MNIST, and samples of which the first `COPIES` are training networks with a little noise.
    Returns the archives of the samples and of the training zoo."""
    layouts.dwsnets(folder / "train", 54)
    training = [path for path in sorted((folder / "train").rglob("*.pth"))
                if int(path.parts[-3].rpartition("_")[2]) % 3 == 0]  # fmt: skip
    (folder / "samples").mkdir()
    for number in range(COPIES + NEW):
        state = layouts.siren_state(["seq.0", "seq.1", "seq.2"], [2, 8, 8, 1], 500 + number)
        if number < COPIES:
            known = torch.load(training[number], weights_only=True)
            state = {name: one + 0.001 * torch.randn_like(one) for name, one in known.items()}
        torch.save(state, folder / f"samples/s{number}.pth")
    return tuple(shutil.make_archive(str(folder / f"{name}-sent"), "zip", folder / name)
                 for name in ("samples", "train"))  # fmt: skip
