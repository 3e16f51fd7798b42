"""What of the two papers is covered here, and what is not."""

from typing import NamedTuple

REPRODUCED = "Weight Space Representation Learning with Neural Fields (Yang, Salzmann, Süsstrunk)"
AUDITED = "Generative Modeling of Weights: Generalization or Memorization? (Zeng, Yin, Xu, Liu)"


class Part(NamedTuple):
    """A part of a paper. here: what of it is here, in words. lacking: what is not; empty if nothing lacks."""

    paper: str
    what: str
    here: str
    lacking: str = ""


PARTS = (
    Part(REPRODUCED, "data (FFHQ, ShapeNet)", "`images:DIR` and `meshes:DIR` read both layouts; drawn faces and "
         "procedural shapes stand for them", "no number on FFHQ or ShapeNet itself"),
    Part(REPRODUCED, "sizes of networks and schedules", "the preset `paper`", "all tables are at `cpu`"),
    Part(REPRODUCED, "Table 1, PSNR and ten categories", "faces, emoji, `shapes10`",
         "its single category, airplanes, has not been measured"),
    Part(REPRODUCED, "Table 2", "the generators of large zoos of faces (mLoRA-Asym and MLP)",
         "the other four representations of faces; CLIP's features"),
    Part(REPRODUCED, "Table 3", "ten categories", "airplanes, with HyperDiffusion's start from one fit; 2,048 samples; "
         "networks that predict noise"),
    Part(REPRODUCED, "Table 4", "all three methods", "5,000 instances; other numbers of neighbours or clusters"),
    Part(REPRODUCED, "Table 5", "mLoRA-Asym's generator with and without the layer encoder, three seeds of each",
         "2,048 samples; networks that predict noise"),
    Part(REPRODUCED, "Figure 3", "six representations, five λ, ten categories",
         "airplanes alone; λ between 0 and 1 from starts N(0, I)"),
    Part(REPRODUCED, "Figures 4, 5 and 8 to 10", "sheets of samples that nobody picked, and the atlas",
         "judged by eye, so that they have no verdict"),
    Part(REPRODUCED, "what the text says besides", "",
         "that LoRA does not improve connectivity, how similarity falls with λ, that HyperDiffusion degrades from "
         "airplanes to ten categories, and that structure goes with generation have no claim of their own"),
    Part(REPRODUCED, "theorems and corollaries (section 7)", "the identities, in numbers; the tab Symmetry shows them"),
    Part(REPRODUCED, "comparison with generators of pictures (section 5)", "", "no latent diffusion model is compared"),
    Part(AUDITED, "nearest training weights, replicas and interpolations", "the audit, for every generator and zoo"),
    Part(AUDITED, "noise and averages as baselines", "`audit-*.json` has averages of 2 and 16, noise and a Gaussian"),
    Part(AUDITED, "HyperDiffusion, p-diff, G.pt, Hyper-Representations", "all four, at small sizes",
         "Hyper-Representations without its contrastive term, and its density of all fits, not of the best 30 %"),
    Part(AUDITED, "permutations as augmentation", "`augmentation`, for mLoRA", "for MLPs"),
    Part(AUDITED, "intrinsic dimension", "`dimensions`"),
    Part(AUDITED, "zoos of classifiers, similarity of errors, decision boundaries", "",
         "no network here is a classifier: all are neural fields"),
    Part(AUDITED, "model size, training length and regularisation as remedies", "training that ends in time",
         "the other remedies"),
    Part(AUDITED, "image diffusion models for comparison; storage of weight data sets", "", "not covered"),
)  # fmt: skip
