"""Modalities are looked up once, by name; nothing outside their package branches on a dimension."""

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from wsr import modalities
from wsr.data.meshes import SUFFIXES as MESHES
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError
from wsr.modalities import IMAGE, OCCUPANCY
from wsr.presets import PRESETS, FieldConfig, preset

ROOT = Path(__file__).parents[2]


class Other(type(IMAGE)):
    name, dim, channels, plural = "volume", 4, 2, "volumes"


def test_names_and_old_dimensions():
    assert modalities.names() == ("image", "occupancy")
    assert modalities.find("image") is IMAGE is modalities.find(2) is modalities.find(IMAGE)
    assert modalities.of_dim(3) is OCCUPANCY
    with pytest.raises(WsrError, match="did you mean 'occupancy'"):
        modalities.find("ocupancy")
    with pytest.raises(WsrError, match="dimension 1 alone names no modality"):
        modalities.of_dim(1)


def test_a_registered_one_is_known_while_it_lasts():
    other = Other()
    with modalities.registered(other):
        assert modalities.find("volume") is other and pickle.loads(pickle.dumps(other)) is other
        with pytest.raises(WsrError, match="registered already"):
            modalities.register(Other())
    with pytest.raises(WsrError, match="Unknown modality 'volume'"):
        modalities.find("volume")


def test_a_modality_without_presets_follows_those_of_images():
    with modalities.registered(Other()):
        for name in PRESETS:
            found, images = preset(name, "volume"), preset(name, "image")
            assert (found.field.dim, found.field.modality, found.field.outputs) == (4, "volume", 2)
            assert found.fit == images.fit and found.field.channels == images.field.channels


def test_sizes_and_signals_say_their_modality_and_it_fits_their_dimension():
    assert FieldConfig(3, 16, 2, 6.0, 8, 2, 16, 12, 2).modality == "occupancy"
    with pytest.raises(WsrError, match="shapes have 3 dimensions, not 2"):
        FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 12, 2, modality="occupancy")
    signal = Signal("a", "", "train", 2, lambda: None)
    assert signal.modality is IMAGE and Signals("x", 2, [signal])[:0].modality is IMAGE
    assert pickle.loads(pickle.dumps(IMAGE)) is IMAGE


def test_mesh_files_are_those_with_readers():
    assert set(OCCUPANCY.files) == set(MESHES)


@pytest.mark.once
def test_importing_them_loads_nothing_heavy():
    heavy = "{'torch', 'trimesh', 'skimage'} & {*sys.modules}"
    code = f"import sys, wsr.presets, wsr.data, wsr.formats.schema; print({heavy})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


# Functions that still use the dimension as a number, with the reason.
LEFT = {
    "wsr/fields/legacy_presets.py": "files of then name a preset and a dimension, and nothing else",
}


def _dimensional(node: ast.AST) -> bool:
    """Whether an expression is a dimension: `dim`, `x.dim` or `x["dim"]`."""
    return (
        (isinstance(node, ast.Name) and node.id == "dim")
        or (isinstance(node, ast.Attribute) and node.attr == "dim")
        or (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value == "dim")
    )


def _parts(*nodes: ast.AST) -> list[ast.AST]:
    """The expressions, those within tuples one by one."""
    return [part for node in nodes for part in (node.elts if isinstance(node, ast.Tuple) else [node])]


def _branches(tree: ast.AST) -> list[int]:
    """Returns the lines that compare a dimension with a number, or look something up by it in a table."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = _parts(node.left, *node.comparators)
            if any(map(_dimensional, sides)) and any(isinstance(side, ast.Constant) for side in sides):
                found.append(node.lineno)
        if isinstance(node, ast.Subscript) and any(map(_dimensional, _parts(node.slice))):
            found.append(node.lineno)
        if isinstance(node, ast.Dict) and {getattr(key, "value", None) for key in node.keys} == {2, 3}:
            found.append(node.lineno)
    return found


def test_nothing_else_branches_on_the_dimension():
    found = {}
    for folder in ("wsr", "precompute"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith("wsr/modalities/") and (lines := _branches(ast.parse(path.read_text()))):
                found[name] = lines
    assert {name: lines for name, lines in found.items() if name not in LEFT} == {}
    assert LEFT.keys() <= found.keys()
