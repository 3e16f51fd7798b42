"""Extractors: shapes, invariances, loading without internet, and clear messages if weights are missing."""

import inspect
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from wsr.errors import WsrError
from wsr.metrics.features import CLIP_VARIABLE, clip, efficientnet_lite, extractor, pointnet
from wsr.metrics.pointnet import PointNet, ball, farthest_points


def test_efficientnet_knows_images_apart_and_does_not_mix_a_batch():
    images = np.random.default_rng(0).random((3, 40, 40, 3), np.float32)
    images[1] = images[1].mean()
    of = efficientnet_lite()
    found = of(images)
    assert found.shape == (3, of.size) == (3, 1280) and of.name == "EfficientNet-Lite0"
    assert np.allclose(of(images[1:2]), found[1:2], atol=1e-4)
    assert np.abs(found[0] - found[1]).mean() > 0.05
    for wrong in (images * 255, images[0], np.zeros((0, 4, 4, 3))):
        with pytest.raises(WsrError, match="Image features"):
            of(wrong)


def test_clip_is_loaded_from_a_file_and_missing_weights_are_explained(tmp_path, monkeypatch):
    import open_clip

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(CLIP_VARIABLE, raising=False)
    with pytest.raises(WsrError, match="efficientnet-lite0"):
        clip()
    assert extractor(None, 2).name == "EfficientNet-Lite0"
    tower = {"layers": 1, "width": 32, "heads": 2}
    config = {"embed_dim": 8, "vision_cfg": {"image_size": 224, "layers": 1, "width": 64, "patch_size": 32},
              "text_cfg": {"context_length": 8, "vocab_size": 64, **tower}}  # fmt: skip
    (tmp_path / "Tiny-Test.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "Tiny-Test.json")
    save_file(open_clip.create_model("Tiny-Test").state_dict(), tmp_path / "tiny.safetensors")
    of = clip(tmp_path / "tiny.safetensors", "Tiny-Test")
    assert of(np.full((2, 30, 30, 3), 0.5)).shape == (2, 8) and of.name == "CLIP Tiny-Test"
    network = open_clip.create_model("Tiny-Test").eval()
    torch.save(network.state_dict(), tmp_path / "tiny.pt")

    class Archive(torch.nn.Module):  # like the file of OpenAI: parameters, and some plain numbers beside them
        def __init__(self):
            super().__init__()
            self.visual = network.visual
            for name, value in network.state_dict().items():
                if "." not in name:
                    self.register_buffer(name, value)
            self.transformer, self.ln_final = network.transformer, network.ln_final
            self.token_embedding = network.token_embedding
            self.register_buffer("context_length", torch.tensor(8))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    torch.jit.trace(Archive(), torch.zeros(1)).save(tmp_path / "script.pt")
    images = np.random.default_rng(0).random((2, 30, 30, 3), np.float32)
    found = clip(tmp_path / "tiny.pt", "Tiny-Test")(images)
    assert np.allclose(clip(tmp_path / "script.pt", "Tiny-Test")(images), found, atol=1e-3)
    default = inspect.signature(clip).parameters["architecture"].default
    assert open_clip.get_model_config(default)["quick_gelu"]  # the weights of OpenAI need this activation
    monkeypatch.setenv(CLIP_VARIABLE, str(tmp_path / "misspelt.pt"))
    with pytest.raises(WsrError, match="misspelt"):
        extractor(None, 2)
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    with pytest.raises(WsrError, match="does not hold"):
        clip(tmp_path / "broken.safetensors", "Tiny-Test")


@pytest.fixture
def cloud():
    return torch.rand(2, 700, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_farthest_points_are_spread_and_the_ball_holds_what_is_near(cloud):
    taken = farthest_points(cloud, 20)
    for places, rows in zip(cloud, taken, strict=True):
        assert len(rows.unique()) == 20
        random = torch.cdist(places[:20], places[:20]).fill_diagonal_(9).min()
        assert torch.cdist(places[rows], places[rows]).fill_diagonal_(9).min() > random
    centres = torch.stack([places[rows] for places, rows in zip(cloud, taken, strict=True)])
    index = ball(cloud, centres, 0.4, 8)
    for n in range(2):
        for c in range(20):
            inside = ((cloud[n] - centres[n, c]).norm(dim=1) <= 0.4).nonzero().flatten()[:8]
            assert index[n, c].unique().tolist() == inside.tolist()


def test_shape_features_ignore_place_and_size_and_load_from_either_format(cloud, tmp_path):
    torch.manual_seed(1)
    network = PointNet(10).eval()
    save_file(network.state_dict(), tmp_path / "pointnet-x.safetensors")
    about = {"epoch": 3, "instance_acc": np.mean([0.5])}  # a NumPy scalar, as in the public file
    torch.save({"model_state_dict": network.state_dict(), **about}, tmp_path / "public.pth")
    of = pointnet(tmp_path / "pointnet-x.safetensors")
    found = of(cloud.numpy())
    assert found.shape == (2, of.size) and of.name == "PointNet++ x"
    assert np.allclose(of(cloud.numpy() * 3 + 5), found, atol=1e-3)
    assert np.allclose(pointnet(tmp_path / "public.pth")(cloud.numpy()), found, atol=1e-6)
    names = list(network.state_dict())
    assert {"sa1.mlp_convs.0.weight", "sa3.mlp_bns.2.running_var", "fc3.bias"} <= set(names)
    with pytest.raises(WsrError, match="does not hold"):
        (tmp_path / "bad.pth").write_bytes(b"x")
        pointnet(tmp_path / "bad.pth")
    with pytest.raises(WsrError, match="clouds"):
        of(np.zeros((3, 4)))


def test_unknown_extractors_and_missing_weights(tmp_path, monkeypatch):
    with pytest.raises(WsrError, match="clip"):
        extractor("clop")
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    with pytest.raises(WsrError, match="precompute run pointnet"):
        extractor(None, 3)


def test_weights_that_are_given_choose_the_extractor_that_takes_them(tmp_path):
    save_file(PointNet(7).state_dict(), tmp_path / "own.safetensors")
    assert extractor(None, 3, tmp_path / "own.safetensors").name == "PointNet++ own"
    assert extractor("pointnet++", 3, tmp_path / "own.safetensors").name == "PointNet++ own"
    with pytest.raises(WsrError, match="does not hold the weights of CLIP"):
        extractor(None, 2, tmp_path / "own.safetensors")
    for name in ("efficientnet-lite0", "pointnet++"):
        with pytest.raises(WsrError, match="takes no file of weights for images; clip does"):
            extractor(name, 2, tmp_path / "own.safetensors")
