"""Attributes that are measured on a mesh equal those that its generator recorded."""

import numpy as np
import pytest
import trimesh

from wsr.data.registry import named
from wsr.data.shapes10.generate import describe
from wsr.data.shapes10.measured import EXTENTS, MEASURED, level, measures
from wsr.errors import WsrError

SEEDS = range(450, 480)  # shapes of the validation split


@pytest.mark.parametrize("category", MEASURED)
def test_each_row_of_the_table_explains_its_attribute(category):
    made = [describe(category, seed) for seed in SEEDS]
    for name, of in measures(category).items():
        pairs = [(of(mesh), known[name]) for mesh, known in made if name in known]
        found, true = np.array(pairs).T
        assert len(pairs) >= 5 and np.corrcoef(found, true)[0, 1] ** 2 >= 0.9, (category, name)


def test_extents_are_measured_of_any_category_and_nothing_of_an_empty_mesh():
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    assert [of(box) for of in measures().values()] == [1.0, 2.0, 3.0] and set(measures()) == set(EXTENTS)
    assert all(np.isnan(of(trimesh.Trimesh())) for of in measures("bench").values())
    assert named("shapes10").measured("chair").keys() == measures("chair").keys()
    assert not named("emoji").measured("people")
    with pytest.raises(WsrError, match="did you mean 'chair'"):
        measures("chairs")


def test_a_level_is_where_most_area_faces_up_or_down():
    slab = trimesh.creation.box((2.0, 0.2, 2.0)).apply_translation((0, 1.1, 0))
    post = trimesh.creation.box((0.2, 1.0, 0.2)).apply_translation((0, 0.5, 0))
    table = trimesh.util.concatenate([slab, post])
    assert level(up=True)(table) == pytest.approx(1.2) and level(up=False)(table) == pytest.approx(1.0)
    assert level(up=False, within=(0.0, 0.5))(table) == pytest.approx(0.0)
