"""What the page's terms mean: one plain sentence each. `snippets.explained` marks them in captions, and glossary.js
finds those in labels and charts and shows the sentence where the pointer, a finger or the keyboard is."""

import json
import re
from pathlib import Path

# Parts of names: labels are full of them, so only the page's script finds them.
NAMES = {
    "MLP": "multilayer perceptron: a plain network of a few layers, all of whose weights belong to one picture",
    "LoRA": "low-rank adaptation: a small change, the product of two thin matrices B and A, is added to each layer of "
    "a network that all pictures share",
    "mLoRA": "multiplicative LoRA: each weight of a network that all pictures share is multiplied by an entry of the "
    "product of two thin matrices B and A",
    "Asym": "asymmetric: some weights keep a fixed value, the same ones in all fits, so that the others cannot change "
    "places unseen",
}
# Headings of the matrices in the heat map of an adapter; "A" alone is a word elsewhere.
MATRICES = {
    "A": "the wide one of an adapter's two matrices: a row for each of its pairs, a column for each input of the layer",
    "Bᵀ": "the tall one of an adapter's two matrices, laid on its side: a row for each of its pairs, a column for each "
    "output of the layer",
}
TERMS = {
    "UMAP": "a way to draw a map: networks whose weights are close to each other stay neighbours in two or three "
    "dimensions",
    "t-SNE": "a way to draw a map that keeps each point's nearest neighbours together and says little about far ones",
    "PCA": "principal component analysis: a map along the straight directions in which weights differ most",
    "α": "where on the straight line between two networks: 0 is the first one, 1 is the second, 0.5 is halfway",
    "λ": "how independent two starts of a fit are: 0 is the same start, 1 is another one altogether",
    "σ": "standard deviation of the random numbers at which a fit starts",
    "ARI": "adjusted Rand index: how well groups found in the weights agree with classes: 1 is perfect, 0 is chance",
    "logit": "what a shape's network says at a point in space: above zero is inside, below zero is outside",
    "logits": "what a shape's network says at points in space: above zero is inside, below zero is outside",
    "logistic": "a simple classifier, which draws one straight border in weight space for each class",
    "1-NN": "the nearest neighbour's class is taken for the answer",
    "PSNR": "peak signal-to-noise ratio: how close the picture is; 30 dB looks right, 6 dB more halve the error",
    "IoU": "intersection over union: the volume inside both shapes, divided by the volume inside at least one",
    "p-diff": "another generator: diffusion over the latents of an autoencoder",
    "G.pt": "another generator: predicts weights from earlier weights of a fit and the loss that they should reach",
    "Hyper-Representations": "another generator: an autoencoder of weights, and a density fitted to its latents",
    "held out": "real networks, of targets that no generator and no base has seen",
    "noise 0.1": "training networks with a little noise: planted copies",
    "average of 2": "the mean of two training networks: a planted blend",
    "Gaussian": "each number drawn independently, from its distribution over the training networks",
    "novelty": "distance to the nearest training network or mix of two, over that of new ones: 0 is a copy, 1 is new",
    "unlike real": "how far its picture is from real ones, over that of new networks: 1 is as real as they are",
    "noise 0.3": "training networks with some noise: planted copies",
    "noise 0.5": "training networks with much noise: planted copies",
    "average of 16": "the mean of sixteen training networks",
    "FD": "Fréchet distance between what two sets show: 0 for two equal sets",
    "MMD-G": "maximum mean discrepancy with a Gaussian kernel: 0 for two equal sets",
    "MMD-P": "maximum mean discrepancy with a polynomial kernel: 0 for two equal sets",
    "mMD": "minimum matching distance: how far real shapes are from the nearest sample, on average",
    "COV": "coverage: the share of real shapes that are the nearest one of some sample",
    "1-NNA": "how often the nearest neighbour tells samples from real shapes: 50 % is best",
    "All faces": "a larger set: many more faces than in the set Faces, but fitted in one representation instead of six",
    "All shapes": "a larger set: many more shapes than in the set Shapes, but fitted in one representation instead of "
    "six",
    "weight space": "the space whose points are networks: every number of a network is one coordinate",
    "canonical form": "of all weights that show the same thing, the ones that a fixed rule picks",
    "mask": "the choice, the same for all fits, of weights that keep a fixed value while the others are trained",
    "adapter": "a small change to a base network that all fits share: LoRA adds it, mLoRA multiplies by it",
    "GL(r)": "all invertible matrices of r rows and columns, by which an adapter's r pairs may be mixed",
    "zoo": "a folder of networks that were all fitted in the same way, with a table of what each of them shows",
    "replica": "a copy: nearer to one training network than really new networks are",
    "blend": "a mix: nearly on the line between two training networks",
}
_HERE = Path(__file__)


def pattern() -> re.Pattern:
    """Matches each of TERMS as a whole word, in a group, the longest first."""
    return re.compile(rf"(?<!\w)({'|'.join(map(re.escape, sorted(TERMS, key=len, reverse=True)))})(?!\w)")


def script() -> str:
    """Returns the page's script, for its head, with the terms in it."""
    said = json.dumps({"terms": NAMES | TERMS, "matrices": MATRICES}, ensure_ascii=False).replace("<", "\\u003c")
    return f"{_HERE.with_suffix('.js').read_text()}({said});"
