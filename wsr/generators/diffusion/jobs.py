"""Trains a diffusion model on a zoo: selects its training and validation weights and what it uses as classes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from wsr.data.registry import groups
from wsr.data.splits import VALIDATION
from wsr.fields.base import compute_dtype
from wsr.generators.base import TrainingRun, TrainRecord, TrainSettings
from wsr.generators.diffusion.clusters import Clusters
from wsr.generators.diffusion.config import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.model import WeightDiffusion
from wsr.generators.diffusion.training import Training
from wsr.generators.jobs import about_training, train_generator, training_rows
from wsr.symmetry import permuted_copies
from wsr.zoo.zoo import Zoo

NONE = ""  # the class of all samples of a model that is not conditioned on classes
ONE_IN = 10  # of so many training weights of each class, one is set aside for validation, if the zoo has no such split


class Diffusion(WeightDiffusion):
    """The registered generator: a diffusion model that can be trained on a zoo."""

    @classmethod
    def config_of(cls, zoo: Zoo, settings: TrainSettings) -> DiffusionConfig:
        """Returns the config of the settings, or else that of their preset or the zoo's, with the settings' learning
        rate and steps, and without classes or the layer encoder if they say so."""
        preset, representation = settings.preset or zoo.meta["preset"], zoo.meta["representation"]
        config = settings.config or diffusion_preset(preset, representation, zoo.modality)
        if settings.lr is not None:
            config = replace(config, lr=settings.lr)
        if not settings.encoder:
            config = replace(config, encoder=False)
        if not settings.conditional:
            config = replace(config, conditional=False)
        if settings.steps is not None:
            config = replace(config, steps=settings.steps, epochs=None, patience=0)
        return config

    @classmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        config = cls.config_of(zoo, settings)
        found = training_of(zoo, config, cls=settings.cls, seed=settings.seed, copies=settings.copies, model=cls)

        def stream(checkpoint: Path) -> Iterator[TrainRecord]:
            return found.run(checkpoint=checkpoint)

        return TrainingRun(found.model, found.identity, stream, found.steps)


def train_diffusion(
    zoo: Zoo, out: str | Path, *, overwrite: bool = False, settings: TrainSettings | None = None, **options
) -> Iterator[TrainRecord]:  # fmt: skip
    """Trains a diffusion model on a zoo's training split and writes it to `out`: `train_generator("diffusion", …)`.
    options: fields of `TrainSettings`, if no settings are given. Errors as there, and WsrError for a class that the zoo
    lacks, for fewer than two weights, and for copies that the mask forbids.

    If the config has clusters and all weights are of one class, the clusters are the model's classes. If it has
    patience, the fits of the zoo's validation split decide when training ends. A zoo of two splits keeps its held-out
    fits for final tables: every tenth training weight of each class is set aside instead (none of fewer than ten: all
    steps are trained then). Fits of the test split are not used for any of this.
    """
    return train_generator("diffusion", zoo, out, settings or TrainSettings(**options), overwrite=overwrite)


def training_of(
    zoo: Zoo, config: DiffusionConfig, *, cls: str | None = None, seed: int = 0, copies: int = 1,
    count: int | None = None, model: type[WeightDiffusion] = Diffusion,
) -> Training:  # fmt: skip
    """Prepares the training that `train_diffusion` runs. count: number of training weights, the first of the zoo; by
    default all. model: class of the trained model."""
    rows = training_rows(zoo, cls)[:count]
    rows, unseen = learnt_and_unseen(zoo, rows) if config.patience else (rows, rows[:0])
    weights, classes = zoo.weights(rows["id"].tolist()), rows["class"].tolist()
    validation = zoo.weights(unseen["id"].tolist()), unseen["class"].tolist()
    if not config.conditional:
        classes, validation = [NONE] * len(classes), (validation[0], [NONE] * len(validation[1]))
    elif config.clusters > 1 and len(set(classes)) == 1:
        clusters = Clusters.of(weights, config.clusters, seed)
        if len(clusters.names) > 1:
            classes, validation = clusters(weights), (validation[0], clusters(validation[0]))
    about = {**about_training(zoo, TrainSettings(cls=cls, seed=seed), len(weights)), "copies": copies}
    weights, classes = permuted_copies(zoo.representation, weights, copies, seed), classes * copies
    made = model.new(zoo.representation, weights, config, sorted(set(classes)), about, seed)
    training = Training(made, weights, classes, seed)
    if len(unseen):
        training.validation = validation
    training.dtype = compute_dtype(training.accelerator.device)
    return training


def learnt_and_unseen(zoo: Zoo, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the rows to train on and those to validate on. rows: those of the training split. A zoo with a validation
    split is validated on it, or on its fits of the classes in `rows`, and all rows are trained on; of any other zoo a
    part of the rows is set aside."""
    found = zoo.good(VALIDATION)
    found = found[(found["split"] == VALIDATION) & found["class"].isin(set(rows["class"]))]
    return (rows, found) if len(found) else parts_of(rows, zoo.meta["dataset"])


def parts_of(rows: pd.DataFrame, dataset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits rows of an index into rows for training and rows for validation, every `ONE_IN`-th of each class.
    Groups are not divided: with the same emoji in another skin tone among the training weights, the validation loss
    would reward memorization."""
    names = pd.Series(groups(dataset, rows["id"]), rows.index)
    number = names.groupby(rows["class"]).transform(lambda found: pd.factorize(found)[0])
    if number.max() < ONE_IN - 1:  # no class has ten weights: split without regard to classes
        number = pd.Series(pd.factorize(names)[0], rows.index)
    unseen = number % ONE_IN == ONE_IN - 1
    return rows[~unseen], rows[unseen]
