"""The figures as plotly.js receives them, without a browser: they show the data that they are given."""

import base64
import json
import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.figures.arrays import binary
from app.figures.atlas import Points, atlas_figure
from app.figures.curves import quality_curve
from app.figures.plane import distances_figure, plane_figure
from app.figures.weights import layer_arrays, weights_figure
from app.shared.palette import CLASS_COLOURS, REPRESENTATION_COLOURS, class_colours, representation_line
from wsr import representations
from wsr.fields.layout import ParameterLayout
from wsr.fields.registry import named
from wsr.modalities import IMAGE, OCCUPANCY

QUICK = settings(max_examples=25, deadline=None)
# Viénot, Brettel and Mollon (1999), linear RGB.
BLINDNESS = {
    "protan": [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    "deutan": [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
}


def decoded(value):
    return np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))


def linear(colour):
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def luminance(colour):
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


@QUICK
@given(st.lists(st.floats(width=16, allow_nan=False, allow_infinity=False), max_size=40))
def test_binary_arrays_come_back(values):
    array = np.array(values, np.float32)
    assert np.array_equal(decoded(binary(array)), array)
    assert np.array_equal(decoded(binary(array.astype(np.float16))), array.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("dims", [2, 3])
def test_every_point_is_on_the_map_once_with_its_place_and_its_thumbnail(dims):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(50, dims)).astype(np.float32)
    classes = [f"class {i % 4}" for i in range(50)]
    ids = [f"id-{i}" for i in range(50)]
    shown = Points(points, classes, [i.upper() for i in ids], ids, cells=list(range(50)))
    figure = atlas_figure(shown, view="a")
    json.dumps(figure, allow_nan=False)
    assert [trace["name"] for trace in figure["data"]] == sorted(set(classes))
    seen = {}
    for trace in figure["data"]:
        axes = [decoded(trace[axis]) for axis in "xyz"[:dims]]
        for i, item in enumerate(trace["customdata"]):
            assert item not in seen
            seen[item] = (trace["name"], trace["text"][i], trace["meta"]["cells"][i], [axis[i] for axis in axes])
    for i, item in enumerate(ids):
        assert seen[item] == (classes[i], item.upper(), i, list(points[i]))
    assert figure["layout"]["uirevision"] == "a"
    scale = figure["layout"]["scene"]["aspectmode"] if dims == 3 else figure["layout"]["yaxis"]["scaleanchor"]
    assert scale == ("data" if dims == 3 else "x")


def test_a_curve_names_its_unit_and_holds_its_frame():
    figure = quality_curve([0, 1, 10], [5.0, 12.25, 30.5], of=IMAGE, representation="mlora-asym", total=1000)
    trace, layout = figure["data"][0], figure["layout"]
    assert trace["x"] == [1, 10] and trace["y"] == [12.25, 30.5]  # step 0 is left out, because the axis is logarithmic
    assert layout["xaxis"]["type"] == "log" and layout["xaxis"]["range"] == [0, 3]
    assert "dB" in layout["yaxis"]["title"]["text"]
    empty = quality_curve([], [], of=OCCUPANCY, representation="mlp", total=300)
    assert empty["layout"]["yaxis"]["range"] == [0, 1.02]
    assert math.isclose(empty["layout"]["xaxis"]["range"][1], math.log10(300))
    begun = quality_curve([0, 1], [28.0, 29.5], of=IMAGE, representation="mlora-asym", total=30, from_zero=True)
    assert begun["data"][0]["x"] == [0, 1] and begun["layout"]["xaxis"]["type"] == "linear"
    assert begun["layout"]["xaxis"]["range"] == [0, 30]


@QUICK
@given(st.integers(0, 2**32 - 1))
def test_layer_arrays_agree_with_the_engine_and_show_what_is_frozen(seed):
    rng = np.random.default_rng(seed)
    shapes = [("layers.0.A", (2, 5)), ("layers.0.B", (5, 2)), ("bias", (3,))]
    tensors = [
        (name, shape, tuple(np.flatnonzero(rng.random(int(np.prod(shape))) < 0.3).tolist())) for name, shape in shapes
    ]
    layout = ParameterLayout(tensors)
    vector = torch.from_numpy(rng.normal(size=(1, layout.size)).astype(np.float32))
    expected = layout.unflatten(vector)
    found_arrays = layer_arrays(vector[0].numpy(), layout.to_json())
    for (name, shape, frozen), (found, array) in zip(tensors, found_arrays, strict=True):
        assert (found, array.shape) == (name, shape)
        assert set(np.flatnonzero(np.isnan(array)).tolist()) == set(frozen)
        known = ~np.isnan(array)
        assert np.array_equal(array[known], expected[name][0].numpy()[known])


def test_weights_are_drawn_as_distances_from_the_start():
    rng = np.random.default_rng(0)
    layers = [(f"layers.{i}.{k}", rng.normal(size=s).astype(np.float32)) for i in range(3)
              for k, s in (("A", (4, 16)), ("B", (16, 4)))]  # fmt: skip
    layers[0][1][1, 2] = np.nan
    figure = weights_figure(layers, layers)
    assert [trace["name"] for trace in figure["data"]] == ["A", "B"]
    for trace in figure["data"]:
        z = decoded(trace["z"])
        assert trace["zmin"] == -trace["zmax"] and np.all(z[np.isfinite(z)] == 0)
    a = decoded(weights_figure(layers)["data"][0]["z"]).reshape(3 * 4 + 2, 16)
    assert np.allclose(a[:4], layers[0][1], equal_nan=True) and np.isnan(a[1, 2]) and np.isnan(a[4]).all()
    b = decoded(weights_figure(layers)["data"][1]["z"]).reshape(14, 16)
    assert np.allclose(b[:4], layers[1][1].T)  # tall matrices are drawn transposed


def test_an_mlp_is_drawn_too():
    shapes = {"fourier.weight": (50, 2), "hidden.0.weight": (50, 50), "hidden.0.bias": (50,)}
    figure = weights_figure([(name, np.ones(shape)) for name, shape in shapes.items()])
    json.dumps(figure, allow_nan=False)
    assert figure["layout"]["yaxis"]["ticktext"] == ["fourier", "hidden.0"]


def test_representation_colours_survive_colour_blindness():
    assert set(REPRESENTATION_COLOURS) == set(representations)
    assert all(representation_line(n)["dash"] == ("solid" if named(n).masked else "dash") for n in representations)
    for kind in ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], *BLINDNESS.values()):
        seen = [np.cbrt(np.clip(np.array(kind) @ linear(c), 0, None)) for c in REPRESENTATION_COLOURS.values()]
        nearest = min(np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i])
        assert nearest > 0.08


def test_class_colours_are_legible_on_both_pages_and_stay_with_their_class():
    for colour in CLASS_COLOURS:
        value = luminance(colour)
        assert 1.05 / (value + 0.05) > 1.9 and (value + 0.05) / (luminance("#0f1117") + 0.05) > 3
    names = [f"c{i:02d}" for i in range(12)]
    assert class_colours(names) == class_colours(names[::-1] * 2)
    assert len(set(class_colours(names).values())) == 10


def test_a_legend_of_many_names_takes_few_lines_on_a_phone():
    """With legend groups, plotly puts names one after the other; without, each takes the width of the longest, and the
    legend fills the screen of a phone."""
    rows = pd.DataFrame([
        {"generator": name, "sample": 0, "novelty": 1.0, "quality": 1.0, "verdict": "novel"}
        for name in ("diffusion", "Hyper-Representations", "noise 0.1")
    ])  # fmt: skip
    colour = {"diffusion": "#000000"}
    for figure in (plane_figure(rows, colour), distances_figure({"a": [1.0, 2.0], "b": [1.5, 2.5]}, colour)):
        groups = [trace["legendgroup"] for trace in figure["data"]]
        assert len(set(groups)) == len(groups) and figure["layout"]["legend"]["tracegroupgap"] == 0
