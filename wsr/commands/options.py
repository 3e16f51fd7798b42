"""Parses a command line, and explains an invalid one in one sentence."""

import contextlib
import sys
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from wsr.commands import name_rules
from wsr.errors import WsrError, counted, unknown_name

# tyro's private hook for its errors. If a release removes it, tyro prints its own boxes instead.
_errors = getattr(tyro, "_errors", None)
_on_error = getattr(_errors, "on_parse_error", None)


def parsed(commands: Any, arguments: list[str] | None, description: str) -> Any:
    """Returns the sub-command that a command line names, with its options. commands: the union of all sub-commands,
    each annotated with its name. SystemExit after --help; WsrError for an unknown command or option, and for an invalid
    value."""
    words = sys.argv[1:] if arguments is None else arguments
    asked = _asked(commands, words)

    def refuse(event: Any) -> None:
        if type(event).__name__ == "InstantiationFailure" and event.argument is not None:
            told = _wrong_value(event, words)
        else:
            told = _fault(event, commands, asked)
        raise WsrError(f"{told} `{' '.join(asked)} --help` says what it takes.")

    with _on_error(refuse) if _on_error else contextlib.nullcontext():
        return tyro.cli(
            OmitArgPrefixes[commands], args=arguments, prog="wsr", description=description, registry=name_rules
        )


def _fault(event: Any, commands: Any, asked: list[str]) -> str:
    """Returns one sentence that says what is wrong with a command line. event: tyro's description of the error. asked:
    the words that name the command."""
    kind, command = type(event).__name__, f"`{' '.join(asked)}`"
    inner = list(_inner(commands, asked))
    if kind == "MissingSubcommand":
        return f"{command} needs the name of a command: {', '.join(inner)}."
    if kind == "UnrecognizedArgs":
        return _unrecognised(event.tokens, command, inner, _options(commands, asked))
    if kind == "MissingArgs":
        missing = [one.arg for one in event.missing_arguments]
        told = "; ".join(f"{_name(one)} ({_help(one)})" if _help(one) else _name(one) for one in missing)
        return f"{command} needs {told}."
    if kind == "InvalidChoice":
        return str(unknown_name(f"value of {_name(event.argument)}", event.value, event.choices))
    if kind == "BadValue":
        wanted = event.argument.lowered.nargs
        needs = counted(wanted, "value") if isinstance(wanted, int) else "a value"
        return f"{_name(event.argument)} needs {needs} after it."
    reason = f" ({_plain(event.message)})" if getattr(event, "message", "") else ""
    return f"{command} cannot read these options{reason}."


def _unrecognised(tokens: list[str], command: str, inner: list[str], options: list[str]) -> str:
    flag = next((token for token in tokens if token.startswith("-")), None)
    if flag is not None:
        return str(unknown_name(f"option of {command}", flag.partition("=")[0], options))
    if inner:
        return str(unknown_name(f"command of {command}", tokens[0], inner))
    return f"{command} takes nothing more, and {' '.join(map(repr, tokens[:3]))} was given."


def _wrong_value(event: Any, words: list[str]) -> str:
    """Returns the sentence for an invalid value of an option. tyro does not report the value, so it is taken from the
    command line: the word that follows the option."""
    name, shown = _name(event.argument), str(event.argument.lowered.metavar)
    wanted = "a whole number" if "INT" in shown else "a number" if "FLOAT" in shown else ""
    if not wanted:
        return f"{name} cannot have this value ({_plain(event.message)})."
    flags, given = event.argument.lowered.name_or_flags, ""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        flag, equals, value = word.partition("=")
        if flag in flags:
            given = value if equals else after
    return f"{name} takes {wanted}, not {given!r}."


def _name(argument: Any) -> str:
    """Returns an option's flag, or a positional argument's name as the help shows it."""
    name = argument.display_name()
    return name.rpartition(".")[2].upper() if argument.is_positional() else name.split("/")[-1]


def _help(argument: Any) -> str:
    text = argument.field.helptext
    return _plain(text() if callable(text) else text or "")


def _plain(message: Any) -> str:
    return " ".join(str(message).split()).rstrip(".")


def _asked(commands: Any, words: list[str]) -> list[str]:
    """Returns the words of a command line that name its command: "wsr", "zoo", "build"."""
    asked = ["wsr"]
    for word in words:
        if word not in _inner(commands, asked):
            break
        asked.append(word)
    return asked


def _inner(commands: Any, asked: list[str]) -> dict[str, Any]:
    """Returns the sub-commands that may follow: all for "wsr", its own for "wsr zoo", none for "wsr fit"."""
    found = _named(commands)
    for name in asked[1:]:
        inner = (_named(field.type) for field in fields(found[name]))
        found = next((one for one in inner if one), {})
    return found


def _options(commands: Any, asked: list[str]) -> list[str]:
    """Returns the flags of a command."""
    if len(asked) == 1:
        return ["--help"]
    named = [field for field in fields(_inner(commands, asked[:-1])[asked[-1]]) if not _is_positional(field.type)]
    return [f"--{field.name.replace('_', '-')}" for field in named if not _named(field.type)] + ["--help"]


def _named(commands: Any) -> dict[str, Any]:
    """Returns the classes in a union of annotated commands, by name; {} for any other type."""
    if get_origin(commands) is Annotated:
        commands = get_args(commands)[0]
    found = {}
    for one in get_args(commands):
        kind, *about = get_args(one) if get_origin(one) is Annotated else (one,)
        found |= {note.name: kind for note in about if isinstance(getattr(note, "name", None), str)}
    return found


def _is_positional(kind: Any) -> bool:
    return get_origin(kind) is Annotated and get_args(Positional[int])[1] in get_args(kind)[1:]
