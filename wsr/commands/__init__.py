"""The sub-commands of `wsr`, one file per family, and what they share. torch is not loaded before a command runs."""

from collections.abc import Callable
from typing import Literal

from rich.console import Console
from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from wsr.fields.registry import names as representations
from wsr.generators.registry import names as generators

OK, FAILED, MISTAKE, STOPPED = 0, 1, 2, 130  # exit codes: done, a check failed, wrong input, stopped by the user


class RepresentationName(str):
    """The type of an option that names a representation."""


class GeneratorName(str):
    """The type of an option that names a generator."""


class DataSetName(str):
    """The type of an option that names a whole data set, and no folder."""


PresetName = Literal["cpu", "paper"]
console = Console()
name_rules = ConstructorRegistry()  # for tyro


def a_data_set(rest: str = "") -> Callable[[], str]:
    """The help of an option that names a data set, as a function for `tyro.conf.arg`, so that it lists those that are
    registered when it is printed. rest: what else the option takes, in words."""

    def said() -> str:
        from wsr.data.registry import choices

        return f"{', '.join([*choices(), 'a class of one (shapes10/chair)'])}{rest}."

    return said


@name_rules.primitive_rule
def _registered(asked: PrimitiveTypeInfo) -> PrimitiveConstructorSpec | None:
    """How such a name is read: as one of those that are registered when the command line is."""
    listed = {RepresentationName: representations, GeneratorName: generators, DataSetName: _data_sets}.get(asked.type)
    if listed is None:
        return None
    known = listed()
    return PrimitiveConstructorSpec(
        nargs=1, metavar=f"{{{','.join(known)}}}", instance_from_str=lambda given: given[0],
        is_instance=lambda given: isinstance(given, str), str_from_instance=lambda given: [given], choices=known,
    )  # fmt: skip


def _data_sets() -> tuple[str, ...]:
    from wsr.data.registry import names

    return names()
