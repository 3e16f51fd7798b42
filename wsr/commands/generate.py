"""The sub-commands of generation: `wsr diffuse`, `wsr sample`, `wsr evaluate`, `wsr audit`."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Column, Table
from tyro.conf import Positional, arg

from wsr.commands import OK, GeneratorName, PresetName, console
from wsr.errors import WsrError, counted, were
from wsr.first_process import is_first_process
from wsr.generators.registry import named
from wsr.paths import assets_dir, atomic_path, require_writable
from wsr.progress import bar

if TYPE_CHECKING:
    import pandas as pd

    from wsr.zoo import Zoo


@dataclass
class Diffuse:
    """Train a generator on the weights of a zoo, by default a diffusion model. A killed run continues where it stopped.

    Examples: `wsr diffuse emoji-mlora-asym --steps 2000 --out emoji.safetensors`, `wsr diffuse shapes10-mlora-asym
    --generator p-diff`.
    """

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""
    out: Path | None = None
    """The file to write; by default assets/diffusion/<zoo>.safetensors, with generator, class, encoder, conditional,
    copies and seed in its name where they are not the default."""
    generator: GeneratorName = GeneratorName("diffusion")
    """What learns the weights. gpt learns from a trajectory zoo."""
    preset: PresetName | None = None
    """cpu: minutes to an hour on two cores. paper: width 2880, 12 layers, 6,000 epochs. By default the zoo's."""
    steps: int | None = None
    """Optimizer steps in total; by default, training ends when the loss on validation weights no longer falls."""
    cls: str | None = None
    """Train only on weights of this class."""
    lr: float | None = None
    """Learning rate; by default the preset's."""
    seed: int = 0
    """Seed of the network's initial weights and of everything that is drawn."""
    conditional: bool = True
    """Without it, a diffusion model learns no classes, like the paper's: a sample can be of any."""
    encoder: bool = True
    """Without it, a diffusion model takes each matrix of an adapter as a token, as in the paper's table 5."""
    copies: int = 1
    """Copies of each weight; all but one have their rank components or neurons permuted. Masks forbid this."""
    overwrite: bool = False
    """Replace a model that another run has trained."""

    def run(self) -> int:
        from wsr.generators.base import TrainSettings
        from wsr.generators.diffusion import WeightDiffusion
        from wsr.generators.jobs import train_generator
        from wsr.zoo import Zoo

        if self.steps is not None and self.steps < 1:
            raise WsrError(f"--steps must be 1 or more, not {self.steps}.")
        if not issubclass(named(self.generator).generator, WeightDiffusion):
            if not self.encoder:
                raise WsrError(f"--no-encoder is for diffusion models: {self.generator} has no layer encoder.")
            if not self.conditional:
                raise WsrError(f"--no-conditional is for models that learn classes: {self.generator} does not.")
        zoo = Zoo.open(self.zoo)
        stem = named(self.generator).stem(zoo.path.name)
        parts = [stem, self.cls, "no-encoder" * (not self.encoder), "unconditional" * (not self.conditional)]
        parts += [f"x{self.copies}" * (self.copies > 1), f"s{self.seed}" * (self.seed > 0)]
        out = self.out or assets_dir() / "diffusion" / f"{'-'.join(filter(None, parts))}.safetensors"
        settings = TrainSettings(
            preset=self.preset, steps=self.steps, cls=self.cls, lr=self.lr, seed=self.seed, copies=self.copies,
            encoder=self.encoder, conditional=self.conditional,
        )  # fmt: skip
        with bar(f"{self.generator} {zoo.path.name}") as update:
            for record in train_generator(self.generator, zoo, out, settings, overwrite=self.overwrite):
                note = f"loss {record.loss:.4f}"
                note += f", of unseen weights {record.validation:.4f}" if record.validation is not None else ""
                if record.monitor:
                    watch = record.monitor
                    note += f", cosine of samples {watch.cosine:.2f} (training {watch.cosine_train:.2f}), "
                    note += f"near {counted(watch.distinct, 'different weight')} of {watch.samples}"
                update(record.step, record.steps, note)
        if is_first_process():
            console.print(f"{out} is there already: the same run has written it." if record.kept else f"Wrote {out}.")
        return OK


@dataclass
class Sample:
    """Draw new weights from a trained generator. They are written as a zoo, which every other command can open.

    Example: `wsr sample emoji-mlora-asym --count 16 --out new`, then `wsr render new --out pictures`.
    """

    model: Positional[str]
    """A generator's file, or its name in assets/diffusion."""
    count: int = 16
    """Number of samples."""
    cls: str | None = None
    """The samples' class; by default drawn for each."""
    guidance: float | None = None
    """Scale of classifier-free guidance: 1 samples a class as it was learnt, 2 or 3 exaggerates it; by default the
    model's."""
    steps: int = 100
    """Sampling steps of a diffusion model."""
    seed: int = 0
    """Seed of the initial noise."""
    final_noise: Annotated[float | None, arg(aliases=["--end"])] = None
    """Noise level, from 0 to below 1, from which the last step leads directly to the weights; by default the model's.
    """
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    out: Path = Path("samples")
    """The folder of the zoo to write."""

    def run(self) -> int:
        from wsr.devices import usable
        from wsr.generators.base import SampleSettings
        from wsr.generators.files import load_generator
        from wsr.generators.jobs import sample_zoo
        from wsr.zoo.checked import refuse_others

        if self.count < 1:
            raise WsrError(f"--count must be at least 1, not {self.count}.")
        device = usable(self.device)
        refuse_others(self.out)  # before a network is loaded
        with bar("sample") as update:
            generator = load_generator(self.model).to(device)
            settings = SampleSettings(
                cls=self.cls, guidance=self.guidance, steps=self.steps, seed=self.seed, final_noise=self.final_noise
            )
            for done in sample_zoo(generator, self.out, self.count, settings):
                update(done, self.count)
        told = generator.describe()
        console.print(f"Wrote {self.out}: samples of {told['generator']}, which has learnt {told['zoo'] or 'a zoo'}.")
        return OK


@dataclass
class Evaluate:
    """Compare sampled weights with a zoo's fits: FD, MMD, precision and recall, for shapes mMD, COV, 1-NNA and the
    share with floating pieces, and all other registered metrics. The table also shows what copies of training weights
    and held-out fits get.

    Example: `wsr evaluate new emoji-mlora-asym --count 100`.
    """

    samples: Positional[str]
    """The zoo of samples."""
    zoo: Positional[str]
    """The zoo that the generator was trained on."""
    count: int = 200
    """Number of weights on either side of a comparison."""
    repeats: int = 5
    """Number of random subsets; the table shows mean and standard deviation over them."""
    extractor: str | None = None
    """clip, efficientnet-lite0 or pointnet++; by default one that is available for the zoo's modality."""
    extractor_weights: Path | None = None
    """A file with the extractor's weights: OpenAI's of CLIP ViT-B/32 for images, a checkpoint of the public PyTorch
    PointNet++ classifier for shapes."""
    device: str | None = None
    """Where weights are decoded and features computed: cpu or cuda; by default CUDA if available."""
    out: Path | None = None
    """Also write the table to this .csv."""

    def run(self) -> int:
        from wsr.analysis.evaluation import evaluate, set_metrics
        from wsr.devices import usable
        from wsr.metrics.features import extractor
        from wsr.zoo import Zoo, require_alike

        if self.repeats < 1:
            raise WsrError(f"--repeats must be 1 or more, not {self.repeats}.")
        device, samples, zoo = usable(self.device), Zoo.open(self.samples), Zoo.open(self.zoo)
        require_alike(samples, zoo)
        judged = _judged(samples)
        if self.out:
            require_writable(self.out)
        of, zoo = extractor(self.extractor, zoo.modality, self.extractor_weights).to(device), zoo.to(device)
        with bar("evaluate") as update:
            found = evaluate(
                samples.weights(judged["id"].tolist()), zoo, of, judged["class"].tolist(), count=self.count,
                repeats=self.repeats, progress=update,
            )  # fmt: skip
        metrics = [metric for metric in set_metrics() if metric.symbol in found]
        table = Table("of", "against", *(metric.heading for metric in metrics))
        for row in found.to_dict("records"):
            pairs = ((one.in_unit(row[one.symbol]), one.in_unit(row[f"{one.symbol} sd"])) for one in metrics)
            table.add_row(row["set"], row["against"], *(f"{value:.4g} ± {sd:.2g}" for value, sd in pairs))
        sizes = f"{counted(self.count, 'weight')} of either side, {counted(self.repeats, 'subset')}"
        console.print(table, f"Features: {of.name}. {sizes}.")
        if self.out:
            with atomic_path(self.out) as temporary:
                found.assign(extractor=of.name).to_csv(temporary, index=False)
        return OK


def _judged(samples: "Zoo") -> "pd.DataFrame":
    """Returns the rows of the index whose weights can be judged, and says how many are left out. WsrError if there are
    none."""
    from wsr.fitting.verdict import is_poor

    index = samples.index
    found = index[(index["status"] == "ok") | index["status"].map(is_poor).astype(bool)]
    if found.empty:
        raise WsrError(f"The zoo {str(samples.path)!r} holds no weights that can be judged.")
    if failed := len(index) - len(found):
        console.print(f"Left out: {counted(failed, 'fit')} that diverged.")
    return found


@dataclass
class AuditCommand:
    """Decide for each sampled weight whether it is a replica of a training weight, a blend of two, or novel.

    Thresholds come from half of the zoo's held-out fits, and the false-positive rate is measured on the other half, and
    vice versa. Example: `wsr audit new emoji-mlora-asym`.
    """

    samples: Positional[str]
    """The zoo of samples."""
    zoo: Positional[str]
    """The zoo that the generator was trained on."""
    false_positive_rate: Annotated[float, arg(aliases=["--alarm"])] = 0.05
    """The share of new fits that may be called copies."""
    show: int = 20
    """Number of samples to list one by one."""

    def run(self) -> int:
        from wsr.analysis.novelty import audit_of
        from wsr.zoo import Zoo, require_alike

        if self.show < 0:
            raise WsrError(f"--show must be 0 or more, not {self.show}.")
        samples, zoo = Zoo.open(self.samples), Zoo.open(self.zoo)
        require_alike(samples, zoo)
        ids = _judged(samples)["id"].tolist()
        audit, training, tested = audit_of(zoo, self.false_positive_rate)
        verdicts = audit.judge(samples.weights(ids))
        first = (Column(name, no_wrap=True) for name in ("sample", "verdict"))
        table = Table(*first, "nearest training weight", "distance", "line between", "distance")
        for item, verdict in list(zip(ids, verdicts, strict=True))[: self.show]:
            pair = " + ".join(training[i] for i in verdict.pair)
            table.add_row(
                item, verdict.word, training[verdict.nearest], f"{verdict.distance:.2f} ({verdict.replica:.2f})",
                pair, f"{verdict.line:.2f} ({verdict.blend:.2f})",
            )  # fmt: skip
        console.print(table)
        counts = Counter(verdict.word for verdict in verdicts)
        console.print(", ".join(f"{counts[word]} {word}" for word in ("replica", "blend", "novel")) + ".")
        copies = sum(verdict.word != "novel" for verdict in tested)
        console.print(
            "Distances are in standard deviations of the training weights, and in brackets over the mean distance to "
            f"the next weights or lines: far below 1 for a copy. Of {counted(len(tested), 'held-out fit')}, judged "
            f"by thresholds that the other half sets, {copies} {were(copies, 'is', 'are')} called copies (stated rate "
            f"{self.false_positive_rate:.0%})."
        )
        return OK
