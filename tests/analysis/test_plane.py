"""On the plane, copies are on the left, noise is on top, and held-out fits are at one."""

import torch

from tests.analysis.conftest import Colours, family
from wsr.analysis.evaluation import Evaluation
from wsr.analysis.novelty import audit_of
from wsr.analysis.plane import Plane, audit_report, summary
from wsr.generators.baselines import baselines, noisy


def test_generators_have_their_places(zoo):
    evaluation = Evaluation(zoo, Colours(), count=25, repeats=2, resolution=8)
    audit, audited, _ = audit_of(zoo, 0.2)
    plane = Plane(evaluation, audit, audited)

    def place(weights):
        return summary(plane.rows(weights, evaluation.decoded(weights)))

    real = plane.real_rows()
    heldout = summary(real["held out"])
    assert abs(heldout["novelty"] - 1) < 1e-5 and abs(heldout["quality"] - 1) < 1e-5
    assert (real["training"]["distance"] > 0).all() and len(real["training"]) == 60
    train = zoo.weights(evaluation.ids["train"])
    new, copies = place(family(zoo.representation, 30, 5)), place(noisy(train, 0.02, 30))
    assert copies["novelty"] < 0.3 and copies["replica"] == 1 and copies["function"] < new["function"]
    assert 0.6 < new["novelty"] < 1.6 and 0.6 < new["quality"] < 1.8
    found = {name: place(weights) for name, weights in baselines(train, 30)}
    assert found["Gaussian"]["novelty"] > 1.1 and found["average of 2"]["blend"] > 0.9
    rows = plane.rows(zoo.weights(["i3"]), evaluation.decoded(zoo.weights(["i3"])))
    assert rows["nearest"][0] == rows["looks like"][0] == "i3" and rows["distance"][0] < 1e-3


def test_the_seed_makes_the_baselines(zoo):
    first, again = dict(baselines(zoo.weights(), 5, 3)), dict(baselines(zoo.weights(), 5, 3))
    assert len(first) == 6 and all(torch.equal(first[name], again[name]) for name in first)


def test_a_report_has_a_row_for_each_weight(zoo):
    evaluation = Evaluation(zoo, Colours(), count=25, repeats=2, resolution=8)
    made = family(zoo.representation, 7, 5)
    rows, about = audit_report(zoo, evaluation, {"diffusion": made}, count=4, false_positive_rate=0.2)
    assert list(rows["generator"].unique()[:2]) == ["diffusion", "held out"]
    assert len(rows) == 7 + 30 + 6 * 4 and (rows.groupby("generator")["sample"].min() == 0).all()
    assert about["summaries"].keys() == set(rows["generator"]) and about["tested"] == 30
    assert about["planted"]["noise 0.1"] == 1
    assert sum(about["summaries"]["diffusion"][word] for word in ("replica", "blend", "novel")) == 1
