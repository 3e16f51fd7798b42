"""p-diff (Wang et al. 2024): a diffusion model of the latents of an autoencoder. The audit of weight generators found
that it copies."""

from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from wsr.errors import counted
from wsr.fields.representation import Representation
from wsr.generators.base import TrainSettings
from wsr.generators.diffusion.config import DiffusionConfig, diffusion_preset, without_patience
from wsr.generators.diffusion.model import WeightDiffusion, draw, read_config
from wsr.generators.diffusion.training import Training
from wsr.generators.files import ModelFile
from wsr.generators.latent import LatentConfig, LatentGenerator
from wsr.zoo.zoo import Zoo

DENOISER = "denoiser."  # prefix of the names of the latents' diffusion model in a file


@dataclass(frozen=True)
class PDiffConfig:
    """latent: settings of the autoencoder; diffusion: settings of the diffusion model of its latents."""

    latent: LatentConfig
    diffusion: DiffusionConfig


class PDiff(LatentGenerator):
    """p-diff as a generator. model: the diffusion model of the latents, after training."""

    kind: ClassVar[str] = "p-diff"
    model: WeightDiffusion

    @classmethod
    def config_of(cls, zoo: Zoo, settings: TrainSettings) -> PDiffConfig:
        """Returns the settings of both parts; steps and learning rate of the training's settings apply to both."""
        diffusion = without_patience(diffusion_preset(settings.preset or zoo.meta["preset"]))
        config = settings.config or PDiffConfig(LatentConfig(input_noise=0.01, latent_noise=0.1), diffusion)
        given = {name: getattr(settings, name) for name in ("steps", "lr") if getattr(settings, name) is not None}
        epochs = {"epochs": None} if settings.steps is not None else {}
        return PDiffConfig(replace(config.latent, **given), replace(config.diffusion, **given, **epochs))

    @classmethod
    def latent_config(cls, config: PDiffConfig) -> LatentConfig:
        return config.latent

    def fit_latents(self, latents):
        nobody = [""] * len(latents)
        self.model = WeightDiffusion.new(None, latents, self.config.diffusion, [""], seed=self.seed)
        yield from Training(self.model, latents, nobody, self.seed).run(monitor_every=0)

    def draw_latents(self, count, settings, first):
        steps = min(settings.steps, self.config.diffusion.timesteps)
        noise = draw(count, self.config.latent.latent, settings.seed, first)
        return self.model.sample(count, noise=noise, steps=steps)

    def contents(self) -> ModelFile:
        file = ModelFile(asdict(self.config), self.classes, self.about, self.autoencoder_contents())
        file.add(DENOISER, self.model.contents())
        return file

    @classmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "PDiff":
        config = PDiffConfig(
            LatentConfig(**file.config["latent"]), read_config(file.config["diffusion"], file.fault)
        )  # fmt: skip
        made = cls.read_autoencoder(file, config)
        part = file.part(DENOISER, file.config["diffusion"], [""])
        made.model = WeightDiffusion.from_contents(part, None)
        if len(made.model.mean) != config.latent.latent:
            wanted = counted(config.latent.latent, "number")
            raise ValueError(f"its latents should have {wanted}, not {len(made.model.mean)}")
        made.representation, made.about, made.classes = representation, file.about, file.classes
        return made
