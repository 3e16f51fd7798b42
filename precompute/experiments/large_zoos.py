"""The large zoos (`precompute.large`), and the part of each that comes with the assets, at eight bits a number."""

from precompute.experiment import Cell, Context, Experiment
from precompute.fits import base_needed, fitted
from precompute.large import REPRESENTATIONS, protocol, whole
from precompute.selection import large_zoo_signals, modality_of, shipped_of_large
from wsr.fields import registry
from wsr.presets import PROTOCOLS
from wsr.progress import bar
from wsr.zoo import compress_zoo


def run(cell: Cell, context: Context) -> None:
    final = context.path(f"zoos/{context.large_zoo(cell.data, cell.representation)}")
    if final.exists():
        return  # the run before was killed just after compressing, which writes a whole zoo or none
    zoo = whole(cell, context)
    with bar(f"compress {zoo.path.name}") as update:
        compress_zoo(zoo, final, update, ids=shipped_of_large(cell.data).ids)


def settings(cell: Cell, context: Context) -> dict:
    how = PROTOCOLS[protocol(cell.representation)].get(modality_of(cell.data).name)  # None before a study has chosen
    return fitted(cell, context) | {"protocol": how}


def needs(cell: Cell, context: Context) -> list[str]:
    """The base, and the encoder of starts."""
    found = base_needed(cell, context)
    if registry.named(cell.representation).needs_base:
        found += ["encoders/{base}-{representation}.safetensors"]
    return found


EXPERIMENT = Experiment(
    name="large_zoos",
    title="`zoos/<data set>-large-<representation>/`: all signals of a data set, fitted for generators to learn from; "
    "assets/ has 2,000 of each, the others stay in the cache",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    signals=large_zoo_signals,
    settings=settings,
    needs=needs,
    makes=("zoos/{large_zoo}",),
    run=run,
    place=5,
    size="4 × 16 MB",
)
