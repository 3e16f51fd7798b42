"""How weights become noise, and how a network leads back: DDPM with DDIM sampling, or flow matching (section 3.5).

The schedulers are those of `diffusers`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import torch
from diffusers import DDIMScheduler, DDPMScheduler, FlowMatchEulerDiscreteScheduler
from jaxtyping import Float, Int
from torch import Tensor

from wsr.diffusion.config import DiffusionConfig
from wsr.errors import WsrError

Predictor = Callable[[Float[Tensor, "n p"], Float[Tensor, " n"]], Float[Tensor, "n p"]]
"""A network at noisy weights and times."""


class Process(ABC):
    """Both, as training and sampling see them."""

    @abstractmethod
    def times(self, count: int, generator: torch.Generator) -> Tensor:
        """Random times to train at."""

    @abstractmethod
    def loss(self, predict: Predictor, x: Float[Tensor, "n p"], noise: Float[Tensor, "n p"], times: Tensor) -> Tensor:
        """The loss of each sample (n,)."""

    @abstractmethod
    def walk(
        self, predict: Predictor, noise: Float[Tensor, "n p"], steps: int
    ) -> Iterator[tuple[Float[Tensor, "n p"], Float[Tensor, "n p"]]]:
        """From noise to weights in so many steps: after each, where the walk is and the clean weights it heads for."""


class Denoising(Process):
    """DDPM, T steps of linear β; sampled by DDIM."""

    def __init__(self, config: DiffusionConfig):
        self.config = config
        self.settings = {
            "num_train_timesteps": config.timesteps,
            "beta_start": config.beta[0],
            "beta_end": config.beta[1],
            "beta_schedule": "linear",
            "prediction_type": config.predict,
            "clip_sample": False,
        }
        self.forward = DDPMScheduler(**self.settings)

    def times(self, count: int, generator: torch.Generator) -> Int[Tensor, " n"]:
        return torch.randint(0, self.config.timesteps, (count,), generator=generator)

    def loss(self, predict, x, noise, times):
        wanted = {
            "epsilon": lambda: noise,
            "sample": lambda: x,
            "v_prediction": lambda: self.forward.get_velocity(x, noise, times),
        }[self.config.predict]()
        found = predict(self.forward.add_noise(x, noise, times), times.float())
        return (found - wanted).square().mean(1)

    def walk(self, predict, noise, steps):
        if not 1 <= steps <= self.config.timesteps:
            raise WsrError(f"DDIM takes between 1 and {self.config.timesteps} steps, not {steps!r}.")
        back = DDIMScheduler(**self.settings, timestep_spacing="trailing", set_alpha_to_one=True)
        back.set_timesteps(steps, device=noise.device)
        x = noise
        for time in back.timesteps:
            found = back.step(predict(x, time.float().expand(len(x))), time, x)
            x = found.prev_sample
            yield x, found.pred_original_sample


class Flow(Process):
    """Flow matching along straight lines from weights to noise; sampled by Euler steps."""

    def __init__(self, config: DiffusionConfig):
        self.config = config

    def times(self, count: int, generator: torch.Generator) -> Float[Tensor, " n"]:
        return torch.rand(count, generator=generator)

    def loss(self, predict, x, noise, times):
        part = times[:, None].to(x.device)
        found = predict((1 - part) * x + part * noise, times.to(x.device) * self.config.timesteps)
        return (found - (noise - x)).square().mean(1)

    def walk(self, predict, noise, steps):
        if steps < 1:
            raise WsrError(f"A walk takes at least one step, not {steps!r}.")
        back = FlowMatchEulerDiscreteScheduler(num_train_timesteps=self.config.timesteps)
        back.set_timesteps(sigmas=torch.linspace(1, 1 / steps, steps).numpy(), device=noise.device)
        x = noise
        for time, sigma in zip(back.timesteps, back.sigmas, strict=False):
            direction = predict(x, time.float().expand(len(x)))
            clean = x - sigma * direction
            x = back.step(direction, time, x).prev_sample
            yield x, clean


def make_process(config: DiffusionConfig) -> Process:
    return Flow(config) if config.predict == "flow" else Denoising(config)
