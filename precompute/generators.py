"""Which generators there are, how long each trains and what it is called: shared by the scripts of generation."""

from dataclasses import dataclass

from wsr import representations
from wsr.generators.registry import named

DATASETS = ("emoji-people", "shapes10")
SEEDS = {"mlp": (0, 1, 2), "mlora": (0, 1, 2), "mlora-asym": (0, 1, 2)}  # of the others, one
# Of training on one core, at most; most end before, by the loss of unseen weights. People, of whom there is one class,
# still gain after 150 s what shapes have gained by then.
SECONDS = {"emoji-people": 300, "shapes10": 150}
THREADS = 1  # of each training: two of them side by side make more of two cores than one on both
SAMPLES, STEPS = 512, 100  # of each model, by DDIM with so many steps
BITS = {"emoji-people": 5, "shapes10": 6}  # of a number of a model's matrices, and of a sample: assets/ has 450 MB


@dataclass(frozen=True)
class Generator:
    """A diffusion model: of a zoo's weights, from a seed; without the layer encoder, the ablation of table 5."""

    zoo: str
    seed: int = 0
    encoder: bool = True

    @property
    def kind(self) -> str:
        """The generator's registered name."""
        return "diffusion" if self.encoder else "hyperdiffusion"

    @property
    def name(self) -> str:
        return named(self.kind).stem(self.zoo) + (f"-s{self.seed}" if self.seed else "")

    @property
    def representation(self) -> str:
        return next(kind for kind in representations if self.zoo.endswith(f"-{kind}"))

    @property
    def dataset(self) -> str:
        return self.zoo.removesuffix(f"-{self.representation}")


def generators() -> list[Generator]:
    """All of them, mLoRA-Asym first and the first seeds before the others."""
    order = list(reversed(representations))
    first = [Generator(f"{dataset}-{kind}") for kind in order for dataset in DATASETS]
    again = [Generator(one.zoo, seed) for seed in (1, 2) for one in first if seed in SEEDS.get(one.representation, ())]
    flat = Generator("shapes10-mlora-asym", encoder=False)  # the paper's ablation is of shapes as well
    return [*first, flat, *again]
