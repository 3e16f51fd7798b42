"""Shards of one zoo are fits of one recipe: what each would do in its own way is refused."""

import pytest

from wsr.cli import main
from wsr.errors import WsrError
from wsr.zoo import build_zoo, merge_zoos, shard

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def test_shards_have_no_first_instance_in_common(made, tmp_path, capsys):
    """They were merged into a zoo whose fits began at different weights."""
    create, signals = made
    for number in range(2):
        list(build_zoo(create(f"part{number}", init="first"), shard(signals, f"{number}/2")))
    with pytest.raises(WsrError, match="share a start"):
        merge_zoos(tmp_path / "merged", [tmp_path / "part0", tmp_path / "part1"])
    assert len(merge_zoos(tmp_path / "one", [tmp_path / "part1", tmp_path / "part1"])) == 5
    base = ["--base", str(tmp_path / "base.safetensors"), "--rank", "2", "--out", str(tmp_path / "z")]
    assert main(["zoo", "build", signals.name, *base, "--init", "first", "--shard", "0/2"]) == 2
    assert "built as a whole" in " ".join(capsys.readouterr().err.split()) and not (tmp_path / "z").exists()
