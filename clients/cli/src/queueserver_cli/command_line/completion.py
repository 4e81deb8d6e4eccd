"""What the shell offers when Tab is pressed: words of the table, options, and uids and names that the server has.

The scripts for the shells are click's. The server is asked with a short bound: a shell never waits long.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

import click
from click.shell_completion import CompletionItem, get_completion_class

from queueserver_cli.address import CONTROL, server_address
from queueserver_cli.command_line.command import Command
from queueserver_cli.command_line.grammar import COMMANDS
from queueserver_cli.command_line.options import options_of
from queueserver_cli.display.terminal_text import visible
from queueserver_cli.outcome import WrongCommand

SHELLS = ("bash", "zsh", "fish")
#: Characters of the word about a uid or name.
_LONGEST = 80
_BESIDE = ("before", "after")
_PLACES = ("front", "back", *_BESIDE)
#: What can stand for a parameter, where that is known without asking.
_KNOWN = {
    "ADDR": _PLACES,
    "DEST": _PLACES,
    "SRC": ("front", "back"),
    "queue-stop": ("queue-stop",),
    "MODE": ("loop", "ignore_failures", "interrupted"),
    "KIND": ("status", "queue", "history", "console", "document", "task", "permission", "lock"),
}
#: Parameters for which the server knows what can stand there.
_ASKED = ("UID", "SRC", "NAME")


def script(shell: str, program: click.Command) -> str:
    """What a shell has to run so that it completes `qserver`. Raises WrongCommand for an unknown shell."""
    found = get_completion_class(shell) if shell in SHELLS else None
    if found is None:
        raise WrongCommand(f"{shell!r} is not a shell with completion: use one of {', '.join(SHELLS)}.")
    return found(program, {}, "qserver", "_QSERVER_COMPLETE").source()


def option_names(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """The options that can still be typed and begin as what was typed."""
    words = _typed(context)
    fitting = [command for command in COMMANDS if command.words == tuple(words[: len(command.words)])]
    options = options_of(fitting or [each for each in COMMANDS if each.words[: len(words)] == tuple(words)])
    return [
        CompletionItem(option.name, help=option.meaning) for option in options if option.name.startswith(incomplete)
    ]


def words(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The words that can come next and begin as what was typed."""
    typed = _typed(context)
    length = len(typed)
    found = {
        command.words[length]: command.summary if len(command.words) == length + 1 else ""
        for command in reversed(COMMANDS)
        if len(command.words) > length and command.words[:length] == tuple(typed)
    }
    items = [CompletionItem(word, help=help_) for word, help_ in reversed(found.items())]
    for command in COMMANDS:
        if command.words == tuple(typed[: len(command.words)]):
            items += _parameters(context, command, typed[len(command.words) :], incomplete)
    return [item for item in items if item.type == "file" or str(item.value).startswith(incomplete)]


def _typed(context: click.Context) -> Sequence[str]:
    return context.params.get("words") or ()


def _parameters(
    context: click.Context, command: Command, typed: Sequence[str], incomplete: str
) -> Iterable[CompletionItem]:
    """What can stand for the parameters of a command that come next."""
    for parameter in _next(command, typed):
        if parameter == "FILE":
            yield CompletionItem(incomplete, type="file")
        elif parameter in _KNOWN:
            yield from map(CompletionItem, _KNOWN[parameter])
        elif parameter.islower() and parameter not in typed:
            yield CompletionItem(parameter)
        if parameter in _ASKED:
            yield from _asked(context, command, parameter)


def _next(command: Command, typed: Sequence[str]) -> list[str]:
    """The parameters that may come next: all optional ones, and the first that must be there."""
    if typed and typed[-1] in _BESIDE:
        return ["UID"]
    parameters = command.parameters.replace(" …", "…").split()
    following = parameters[len(typed) :] or [each for each in parameters[-1:] if "…" in each]
    found: list[str] = []
    for parameter in following:
        found += parameter.strip("[]…").split("|")
        if not parameter.startswith("["):
            break
    return found


def _asked(context: click.Context, command: Command, parameter: str) -> list[CompletionItem]:
    """What the server knows for a parameter; nothing if it can't be asked."""
    # Imported here: this imports gRPC.
    from queueserver_cli.command_line.completion_server import ask  # noqa: PLC0415

    options = context.params
    try:
        address = server_address(options, CONTROL, os.environ, lambda _note: None)
        found = ask(command, parameter, address, user=options["user"], user_group=options["user_group"])
    except (WrongCommand, ValueError):
        return []
    # Names and descriptions come from other people: a shell must find one line, and nothing to act on.
    return [
        CompletionItem(value, help=visible(meaning.partition("\n")[0])[:_LONGEST])
        for value, meaning in found.items()
        if value.isprintable()
    ]
