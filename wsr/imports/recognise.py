"""Finds out of which format somebody else's files are, by reading the first of them."""

from pathlib import Path

from wsr.errors import WsrError
from wsr.formats.files import shown
from wsr.imports.base import Options, files_of, listed
from wsr.imports.registry import kinds
from wsr.imports.run import nearest


def recognised(source: Path, options: Options) -> str:
    """Returns the name of the format of a file or folder. WsrError, with what was found, if it is none of the known
    ones, or may be several: the same tensors then mean different pictures."""
    layouts = {kind.name: kind.layout for kind in kinds()}
    files_of(source, tuple(dict.fromkeys(end for layout in layouts.values() for end in layout.endings)))
    found, faults, seen = [], [], ""
    for name, layout in layouts.items():
        try:
            batch = next(iter(layout.batches(source, options)))
        except (WsrError, StopIteration) as error:
            faults.append(str(error))
            continue
        if not batch.items:
            faults += batch.left_out
        elif layout.recognises(batch.shapes, options):
            found.append(name)
        else:
            seen = seen or f"It holds {listed(batch.shapes)}. {nearest(batch.shapes, options)}"
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(map(repr, found))
        raise WsrError(
            f"{shown(source.name)} may be of the format {names}: their tensors have the same names and mean different "
            "pictures. Choose the one that it is."
        )
    raise WsrError(f"{shown(source.name)} is of no format that is known. {seen}" if seen else faults[0])
