"""Decides where the fits of a batch start: at the plain start, or where an encoder says."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.fields.representation import Representation
from wsr.fitting.encoder import StartEncoder
from wsr.fitting.encoder_files import NoEncoder, encoder_for
from wsr.fitting.settings import FitSettings
from wsr.modalities.targets import Targets

UNKNOWN = "the encoder does not know it"


@dataclass(frozen=True)
class Began:
    """Where the fits of a batch began. weights: one start for all instances, or one for each; encoded: which of them
    began where the encoder says; steps: those that the encoder states, if all instances did, else None; why: the reason
    why some did not, as a part of a sentence, or ""."""

    weights: Float[Tensor, "p"] | Float[Tensor, "n p"]
    encoded: Bool[Tensor, "n"]
    steps: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Starting:
    """What is known about the starts before the targets are: the encoder, or None and the reason `why` there is none
    although one was asked for."""

    settings: FitSettings
    model: Representation
    encoder: StartEncoder | None = None
    why: str = ""

    @classmethod
    def of(cls, settings: FitSettings, model: Representation) -> "Starting":
        """Looks for the encoder if the settings ask for one. WsrError if they require it and it is not there."""
        if not settings.encoded(model.modality):
            return cls(settings, model)
        if settings.start.init != "centered" and not settings.start.required:
            return cls(settings, model, why="the encoder predicts offsets from the centered start only")
        try:
            return cls(settings, model, encoder_for(model))
        except WsrError as error:
            if settings.start.required:
                raise
            why = error.why if isinstance(error, NoEncoder) else "the encoder's file cannot be read"
            return cls(settings, model, why=why)

    def of_targets(self, targets: Targets) -> Began:
        """Returns where the fits of these targets begin, on their device."""
        plain = self.settings.start.of(self.model).to(targets.device)
        if self.encoder is None:
            return Began(plain, torch.zeros(len(targets), dtype=torch.bool), why=self.why)
        found = self.encoder.on(targets.device).starts(targets, plain)
        if not found.encoded.all():
            return Began(found.weights, found.encoded.cpu(), why=UNKNOWN)
        return Began(found.weights, found.encoded.cpu(), self.encoder.config.fit_steps)
