"""Training for a while and a quick look at what comes of it, for scripts that compare settings: shared by those."""

import time

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.analysis.evaluation import decoded
from wsr.analysis.novelty import audit_of
from wsr.generators.diffusion import Training
from wsr.metrics import needing
from wsr.metrics.features import extractor
from wsr.progress import bar
from wsr.zoo import Zoo

COUNT, STEPS = 160, 50  # samples of each setting, DDIM steps
RESOLUTION = {2: 128, 3: 48}  # of surfaces less than the 96 of the page: 0.1 s instead of 0.5


def train(training: Training, limit: float, title: str) -> float:
    """Trains to its end, or for `limit` seconds of this process's time (what else runs does not count), and returns how
    many it took."""
    begun = time.process_time()
    with bar(title) as update:
        for record in training.run(monitor_every=0):
            update(record.step, record.steps, f"of unseen weights {record.validation or 0:.4f}")
            if time.process_time() - begun > limit:
                break
    return time.process_time() - begun


class Judge:
    """Every metric of features, of `COUNT` samples against all held-out fits of a zoo, and how many of them are copies.
    What is chosen by it has seen these fits: the README says so beside the tables."""

    def __init__(self, name: str):
        self.zoo, self.audit = Zoo.open(name), audit_of(Zoo.open(name))[0]
        self.resolution = RESOLUTION[self.zoo.meta["dim"]]
        self.extractor = extractor(None, self.zoo.meta["dim"])
        self.heldout = self._features(self.zoo.weights(self.zoo.good("heldout")["id"].tolist()))

    def __call__(self, weights: Float[Tensor, "n p"]) -> dict[str, float]:
        weights = weights.cpu()
        features, words = self._features(weights), [verdict.word for verdict in self.audit.judge(weights)]
        metrics = needing("features")
        found = {one.heading: one.in_unit(one.function(features, self.heldout)) for one in metrics}
        return found | {word: words.count(word) / len(words) for word in ("replica", "blend", "novel")}

    def _features(self, weights: Float[Tensor, "n p"]):
        return decoded(self.zoo.representation, weights.to(torch.float32), self.extractor, self.resolution).features
