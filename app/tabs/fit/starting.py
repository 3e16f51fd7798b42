"""How many steps a fit takes by default: few from where an encoder says, the target's own number otherwise."""

from typing import TYPE_CHECKING

from wsr.data.signals import Signals
from wsr.errors import WsrError
from wsr.fields import registry
from wsr.formats.files import there

if TYPE_CHECKING:
    from app.shared.samples import Target

START = "auto"  # of the page's live fits of one representation
RANK = 4  # the usual one, for which it is known how few steps a quick sample takes


def usual_steps(target: "Target", representation: str, rank: int) -> int:
    """Returns the default number of steps for a target whose content may be sampled in this process: a sample, a
    picture, or a shape that has been measured."""
    if target.quick and (representation, rank) == (registry.DEFAULT, RANK):
        return target.quick
    try:
        return _encoded_steps(target, representation, rank) or target.steps
    except WsrError:  # the fit says what is wrong
        return target.steps


def _encoded_steps(target: "Target", representation: str, rank: int) -> int | None:
    """Returns the number of steps that an encoder states if it knows the target; None if not, or without one."""
    from wsr.fitting.encoder_files import encoder_path
    from wsr.fitting.fit import representation_for
    from wsr.fitting.settings import FitSettings, Start
    from wsr.fitting.starts import Starting

    modality = target.modality
    # without one, nothing has to be loaded
    if not there(encoder_path(target.base or modality.default_base, representation)):
        return None
    model = representation_for(representation, target.base, modality, rank)
    starting = Starting.of(FitSettings(start=Start.named(START)), model)
    if starting.encoder is None:
        return None
    signals = Signals("yours", target.dim, [target.signal], modality)
    return starting.of_targets(modality.targets(modality.samples(signals))).steps
