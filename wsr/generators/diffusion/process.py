"""How noise is added to weights, and how a network turns noise into weights: DDPM with DDIM sampling, or flow matching
(section 3.5). The schedulers are those of `diffusers`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.errors import WsrError, counted
from wsr.generators.diffusers_parts import DDPMScheduler, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler
from wsr.generators.diffusion.config import DiffusionConfig

Predictor = Callable[[Float[Tensor, "n p"], Float[Tensor, " n"]], Float[Tensor, "n p"]]
"""A network as a function of noisy weights and times."""


class Process(ABC):
    """The interface of both processes: what training and sampling need."""

    @abstractmethod
    def times(self, count: int, generator: torch.Generator) -> Int[Tensor, " n"] | Float[Tensor, " n"]:
        """Draws random times for training."""

    @abstractmethod
    def loss(
        self, predict: Predictor, x: Float[Tensor, "n p"], noise: Float[Tensor, "n p"],
        times: Int[Tensor, " n"] | Float[Tensor, " n"],
    ) -> Float[Tensor, " n"]:  # fmt: skip
        """Returns the loss of each sample (n,)."""

    @abstractmethod
    def sample_loop(
        self, predict: Predictor, noise: Float[Tensor, "n p"], steps: int, final_noise: float = 0.0
    ) -> Iterator[tuple[Float[Tensor, "n p"], Float[Tensor, "n p"]]]:
        """Turns noise into weights in `steps` steps. Yields after each step the noisy weights and the network's
        prediction of the clean weights. The last step leads from the noise level `final_noise` directly to the weights.
        WsrError for a number of steps out of range."""

    @abstractmethod
    def denoised(
        self, predict: Predictor, x: Float[Tensor, "n p"], noise: Float[Tensor, "n p"], level: float
    ) -> Float[Tensor, "n p"]:
        """Predicts the clean weights from a mix of weights and noise, whatever the network predicts, so that networks
        of different processes can be compared. level: share of the noise in (0, 1), where the squared shares of weights
        and noise add up to 1."""


class Denoising(Process):
    """DDPM with T steps and a linear β schedule. Sampling is DDIM, implemented as first-order DPM-Solver++, which is
    equivalent and whose scheduler accepts arbitrary times."""

    def __init__(self, config: DiffusionConfig):
        self.config = config
        self.settings = {
            "num_train_timesteps": config.timesteps,
            "beta_start": config.beta[0],
            "beta_end": config.beta[1],
            "beta_schedule": "linear",
            "prediction_type": config.predict,
        }
        self.forward = DDPMScheduler(**self.settings, clip_sample=False)

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

    def sample_loop(self, predict, noise, steps, final_noise=0.0):
        if not 1 <= steps <= self.config.timesteps:
            raise WsrError(f"DDIM takes between 1 and {counted(self.config.timesteps, 'step')}, not {steps!r}.")
        back = DPMSolverMultistepScheduler(**self.settings, solver_order=1)
        back.set_timesteps(timesteps=self._times(steps, final_noise), device=noise.device)
        x = noise
        for time in back.timesteps:
            x = back.step(predict(x, time.float().expand(len(x))), time, x).prev_sample
            yield x, back.model_outputs[-1]

    def denoised(self, predict, x, noise, level):
        time = torch.full((len(x),), min(self._first_time(level), self.config.timesteps - 1), device=x.device)
        kept = self.forward.alphas_cumprod[time.cpu()].to(x.device)[:, None]
        noisy = self.forward.add_noise(x, noise, time)
        found = predict(noisy, time.float())
        if self.config.predict == "epsilon":
            return (noisy - (1 - kept).sqrt() * found) / kept.sqrt()
        return found if self.config.predict == "sample" else kept.sqrt() * noisy - (1 - kept).sqrt() * found

    def _times(self, steps: int, final_noise: float) -> list[int]:
        """Returns `steps` evenly spaced times, from the last one down to the one with the noise level `final_noise`, or
        as far towards 0 as even spacing allows."""
        last = self.config.timesteps - 1
        even, most = round(self.config.timesteps / steps) - 1, self.config.timesteps - steps
        first = min(max(self._first_time(final_noise), even), most)
        return np.linspace(last, first, steps).round().astype(int).tolist()

    def _first_time(self, noise: float) -> int:
        """Returns the first time with at least this noise level."""
        return int((self.forward.alphas_cumprod > 1 - noise**2).sum())


class Flow(Process):
    """Flow matching along straight lines from weights to noise (rectified flow); sampled with Euler steps."""

    def __init__(self, config: DiffusionConfig):
        self.config = config

    def times(self, count: int, generator: torch.Generator) -> Float[Tensor, " n"]:
        return self._shifted(torch.rand(count, generator=generator))

    def loss(self, predict, x, noise, times):
        part = times[:, None].to(x.device)
        found = predict((1 - part) * x + part * noise, times.to(x.device) * self.config.timesteps)
        return (found - (noise - x)).square().mean(1)

    def sample_loop(self, predict, noise, steps, final_noise=0.0):
        if steps < 1:
            raise WsrError(f"Flow matching takes at least one step, not {steps!r}.")
        back = FlowMatchEulerDiscreteScheduler(num_train_timesteps=self.config.timesteps)
        sigmas = self._shifted(torch.linspace(1, 1 / steps, steps))
        if final_noise > sigmas[-1]:  # the last step leads to the weights from there
            sigmas = 1 + (sigmas - 1) * (1 - final_noise) / (1 - sigmas[-1])
        back.set_timesteps(sigmas=sigmas.numpy(), device=noise.device)
        x = noise
        for time, sigma in zip(back.timesteps, back.sigmas, strict=False):
            direction = predict(x, time.float().expand(len(x)))
            clean = x - sigma * direction
            x = back.step(direction, time, x).prev_sample
            yield x, clean


    def denoised(self, predict, x, noise, level):
        time = level / (level + (1 - level**2) ** 0.5)  # where weights and noise have the same ratio
        noisy = (1 - time) * x + time * noise
        return noisy - time * predict(noisy, torch.full((len(x),), time * self.config.timesteps, device=x.device))

    def _shifted(self, times: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Moves times towards the noise (`DiffusionConfig.flow_shift`)."""
        shift = self.config.flow_shift
        return times if shift == 1 else shift * times / (1 + (shift - 1) * times)


def make_process(config: DiffusionConfig) -> Process:
    """Returns the process that the config's `predict` implies."""
    return Flow(config) if config.predict == "flow" else Denoising(config)
