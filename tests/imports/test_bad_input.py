"""What cannot be imported is refused with a sentence, and nothing is written."""

import os
import pickle
import random

import numpy as np
import pytest
import torch

from tests.imports import layouts, shared_layouts
from wsr.cli import main
from wsr.errors import WsrError
from wsr.imports.base import Options
from wsr.imports.run import import_zoo

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"


class Evil:
    """Unpickling this would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def source(tmp_path):
    layouts.dwsnets(tmp_path / "source")
    return tmp_path / "source"


def first_file(source):
    return sorted(source.rglob("*.pth"))[0]


def refused(source, out, match, name="dwsnets", **options):
    with pytest.raises(WsrError, match=match) as error:
        import_zoo(name, source, out, Options(**options))
    assert not out.exists() and not list(out.parent.glob("*.partial"))
    return str(error.value)


def test_no_pickle_is_executed(source, tmp_path):
    torch.save({"seq.0.weight": Evil(tmp_path / "made")}, first_file(source))
    refused(source, tmp_path / "zoo", "pickle that holds Python objects.*never done")
    first_file(source).write_bytes(pickle.dumps(Evil(tmp_path / "made")))
    refused(source, tmp_path / "zoo", "pickle that holds|damaged or cut short")
    assert not (tmp_path / "made").exists()


def test_a_pointer_of_git_lfs_says_what_to_run(source, tmp_path):
    first_file(source).write_text(POINTER)
    refused(source, tmp_path / "zoo", "Git LFS pointer.*git lfs pull")
    for path in source.rglob("*.pth"):
        path.write_text(POINTER)
    for skip in (False, True):  # a clone in which nothing was fetched
        refused(source, tmp_path / "zoo", "Git LFS pointer.*git lfs pull", skip=skip)
    refused(source, tmp_path / "zoo", "Git LFS pointer.*git lfs pull", "wsr-pytorch")


def test_a_file_that_was_cut_short(source, tmp_path):
    data = first_file(source).read_bytes()
    first_file(source).write_bytes(data[: len(data) // 2])
    refused(source, tmp_path / "zoo", "damaged or cut short")
    first_file(source).write_bytes(b"")
    refused(source, tmp_path / "zoo", "is empty")


def test_two_architectures_in_one_source(source, tmp_path):
    names = ["seq.0", "seq.1", "seq.2"]
    torch.save(layouts.siren_state(names, [2, 16, 16, 1], 0), sorted(source.rglob("*.pth"))[-1])
    refused(source, tmp_path / "zoo", r"another architecture \(seq.0.weight \(16, 2\).*import them apart")


def test_weights_that_are_not_finite_are_named_or_left_out(source, tmp_path):
    path = first_file(source)
    state = torch.load(path, weights_only=True)
    state["seq.1.weight"][0, 0] = np.nan
    torch.save(state, path)
    refused(source, tmp_path / "zoo", "NaN or infinite.*--skip-faulty")
    sorted(source.rglob("*.pth"))[1].write_text(POINTER)
    made = import_zoo("dwsnets", source, tmp_path / "zoo", Options(skip=True))
    assert len(made.zoo) == 4 and len(made.left_out) == 2


def test_another_format_is_told_by_names_and_shapes(tmp_path):
    layouts.nfn(tmp_path / "nfn")
    said = refused(tmp_path / "nfn", tmp_path / "zoo", "is not of the format 'hyperdiffusion'", "hyperdiffusion")
    assert "net.0.linear.weight (8, 2)" in said and "nearest known format is 'nfn'" in said
    torch.save({"encoder.block": torch.zeros(3, 4)}, tmp_path / "strange.pth")
    said = refused(tmp_path / "strange.pth", tmp_path / "zoo", "encoder.block")
    assert "encoder.block (3, 4)" in said and "No known format has such names; known are hyperdiffusion" in said
    torch.save(layouts.siren_state(["seq.0", "seq.1"], [5, 8, 2], 0), tmp_path / "five.pth")
    assert "a point of a picture has 2" in refused(tmp_path / "five.pth", tmp_path / "zoo", "reads 5 numbers")


def test_a_format_and_a_source_that_are_not_there(source, tmp_path, capsys):
    refused(source, tmp_path / "zoo", "Unknown format to import 'dwsnet': did you mean 'dwsnets'", "dwsnet")
    refused(tmp_path / "nowhere", tmp_path / "zoo", "neither a file nor a folder")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("hello")
    refused(tmp_path / "empty", tmp_path / "zoo", r"no file that ends in .pth.*holds 1 file, such as 'readme.txt'")
    (tmp_path / "there").mkdir()
    (tmp_path / "there/file").write_text("mine")
    assert main(["import", "dwsnets", str(source), "--out", str(tmp_path / "there")]) == 2
    assert "exists already" in capsys.readouterr().err and (tmp_path / "there/file").read_text() == "mine"


def test_a_zoo_needs_no_import(source, tmp_path):
    made = import_zoo("dwsnets", source, tmp_path / "zoo").zoo
    refused(made.path, tmp_path / "again", "is a zoo already")


def test_splits_that_name_files_which_are_not_here(source, tmp_path):
    first_file(source).unlink()
    refused(source, tmp_path / "zoo", "name 1 file that are not in it|name 1 file")


def test_options_out_of_range(source, tmp_path):
    for wrong in ({"omega": -1.0}, {"resolution": 2}, {"heldout": 1.0}):
        with pytest.raises(WsrError, match="must|have"):
            Options(**wrong)


def test_the_command_line_says_what_it_made(source, tmp_path, capsys):
    assert main(["import", "dwsnets", str(source), "--out", str(tmp_path / "zoo")]) == 0
    assert "6 instances in" in capsys.readouterr().out


def test_damaged_files_are_read_or_refused_with_one_sentence(source, tmp_path):
    shared_layouts.fit_a_nef(tmp_path / "nefs")
    files = {"dwsnets": first_file(source), "fit-a-nef": sorted((tmp_path / "nefs").glob("*.npz"))[0]}
    for number in range(40):
        rng, name = random.Random(number), sorted(files)[number % 2]
        data = bytearray(files[name].read_bytes())
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / f"damaged-{number}{files[name].suffix}"
        path.write_bytes(bytes(data[: rng.randrange(len(data))] if rng.random() < 0.3 else data))
        try:
            assert len(import_zoo(name, path, tmp_path / f"zoo-{number}").zoo)
        except WsrError as error:
            assert "\n" not in str(error) and not (tmp_path / f"zoo-{number}").exists()
