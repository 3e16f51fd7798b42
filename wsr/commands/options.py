"""Reads a command line, and says what is wrong with one in a single sentence."""

import contextlib
import sys
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin

import tyro
from tyro.conf import OmitArgPrefixes, Positional

from wsr.commands import constructors
from wsr.errors import WsrError, counted, unknown_name

# tyro's hook for its errors, which it may move: where it is gone, tyro prints its own boxes.
_errors = getattr(tyro, "_errors", None)
_on_error = getattr(_errors, "on_parse_error", None)


def parsed(commands: Any, arguments: list[str] | None, description: str) -> Any:
    """The sub-command that a command line names, with its options. commands: the union of all, each annotated with its
    name. SystemExit after --help; WsrError for what is no command or no option, and for values that do not fit."""

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
            OmitArgPrefixes[commands], args=arguments, prog="wsr", description=description, registry=constructors
        )


def _fault(event: Any, commands: Any, asked: list[str]) -> str:
    """What is wrong with a command line, as one sentence. event: tyro's. asked: the words that name the command."""
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
        return str(unknown_name(f"value of {_name(event.argument)}:", event.value, event.choices))
    if kind == "BadValue":
        wanted = event.argument.lowered.nargs
        needs = counted(wanted, "value") if isinstance(wanted, int) else "a value"
        return f"{_name(event.argument)} needs {needs} behind it."
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
    """The sentence for a value that an option cannot have. tyro does not say which it was, so it is looked for behind
    the option."""
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
    """An option's flag, or a positional's name as the help shows it."""
    name = argument.display_name()
    return name.rpartition(".")[2].upper() if argument.is_positional() else name.split("/")[-1]


def _help(argument: Any) -> str:
    text = argument.field.helptext
    return _plain(text() if callable(text) else text or "")


def _plain(message: Any) -> str:
    return " ".join(str(message).split()).rstrip(".")


def _asked(commands: Any, words: list[str]) -> list[str]:
    """The words of a command line that name its command: "wsr", "zoo", "build"."""
    asked = ["wsr"]
    for word in words:
        if word not in _inner(commands, asked):
            break
        asked.append(word)
    return asked


def _inner(commands: Any, asked: list[str]) -> dict[str, Any]:
    """The sub-commands that may follow: of "wsr" all, of "wsr zoo" its own, of "wsr fit" none."""
    found = _named(commands)
    for name in asked[1:]:
        inner = (_named(field.type) for field in fields(found[name]))
        found = next((one for one in inner if one), {})
    return found


def _options(commands: Any, asked: list[str]) -> list[str]:
    """The flags of a command."""
    if len(asked) == 1:
        return ["--help"]
    named = [field for field in fields(_inner(commands, asked[:-1])[asked[-1]]) if not _is_positional(field.type)]
    return [f"--{field.name.replace('_', '-')}" for field in named if not _named(field.type)] + ["--help"]


def _named(commands: Any) -> dict[str, Any]:
    """The classes of a union of annotated commands, by name; {} for any other type."""
    if get_origin(commands) is Annotated:
        commands = get_args(commands)[0]
    found = {}
    for one in get_args(commands):
        kind, *about = get_args(one) if get_origin(one) is Annotated else (one,)
        found |= {note.name: kind for note in about if isinstance(getattr(note, "name", None), str)}
    return found


def _is_positional(kind: Any) -> bool:
    return get_origin(kind) is Annotated and get_args(Positional[int])[1] in get_args(kind)[1:]
