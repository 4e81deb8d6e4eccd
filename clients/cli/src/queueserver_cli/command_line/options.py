"""The options of `qserver`: those that every command takes, and those that only some take.

They may be before or after the words. Which command takes which of the latter is in its row of the table.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

import click

from queueserver_cli.address import ADDRESS, CONTROL, ENCODING
from queueserver_cli.command_line.command import Command
from queueserver_cli.command_line.option import Option, seconds
from queueserver_cli.command_line.special_options import SPECIAL
from queueserver_cli.outcome import WrongCommand

#: Every command takes these.
COMMON = (
    ADDRESS,
    Option(
        "--lock-key",
        "Key of the lock, if the server is locked; also QSERVER_LOCK_KEY.",
        value="KEY",
        other_name="-k",
        variable="LOCK_KEY",
    ),
    Option("--json", "Print one JSON document for a program, and nothing else."),
    Option("--user", "Act under this name; also QSERVER_USER.", value="NAME", default="qserver-cli", variable="USER"),
    Option(
        "--user-group",
        "Act in this group; also QSERVER_USER_GROUP. By default the server chooses.",
        value="GROUP",
        variable="USER_GROUP",
    ),
    Option("--timeout", "Seconds for one call.", value="SECONDS", kind=seconds(0.1, 3600), default=10.0),
)
_SPECIAL_BY_KEY = {option.key: option for option in SPECIAL}


def click_options() -> list[click.Parameter]:
    """All options for click."""
    common = [option.click() for option in COMMON]
    return [
        *common,
        version_option(),
        *(option.click(hidden=True) for option in (*SPECIAL, *CONTROL.options, ENCODING)),
    ]


def version_option() -> click.Option:
    """``--version`` for click."""
    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Show the version and exit.",
    )


def _show_version(context: click.Context, _option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(installed_version())
        context.exit()


def installed_version() -> str:
    """The version of these tools."""
    from importlib.metadata import version  # noqa: PLC0415 - only what is used

    return version("queueserver-cli")


def check_options(command: Command, given: Iterable[str], commands: Iterable[Command]) -> None:
    """Refuse what a command does not take. Raises WrongCommand.

    Args:
        command: The command.
        given: Keys of the options that stand on the command line.
        commands: All commands, to say to which ones an option belongs.
    """
    for key in given:
        option = _SPECIAL_BY_KEY.get(key)
        if option is not None and option.name not in command.options:
            takers = ", ".join(each.name for each in commands if option.name in each.options)
            raise WrongCommand(
                f"qserver {command.name} takes no {option.name}. {_taken(command)} {option.name} belongs to: {takers}."
            )


def refuse_unknown(word: str, command: Command | None) -> None:
    """Say what an option that does not exist could be. Always raises WrongCommand."""
    known = [option.name for option in COMMON] + list(command.options if command else _SPECIAL_NAMES)
    typed = word.partition("=")[0].lstrip("-").replace("_", "-")
    near = difflib.get_close_matches(
        typed, [name.lstrip("-") for name in (*known, "--version", "--help")], n=1, cutoff=0.7
    )
    meant = f": did you mean --{near[0]}?" if near else "."
    rest = _taken(command) if command else "All options: qserver -h."
    raise WrongCommand(f"There is no option {word!r}{meant} {rest} A word that begins with a dash is put behind --.")


_SPECIAL_NAMES = tuple(option.name for option in SPECIAL)


def _taken(command: Command) -> str:
    common = ", ".join(option.name for option in COMMON)
    if not command.options:
        return f"It takes those of every command: {common}."
    return f"It takes {', '.join(command.options)}, and those of every command: {common}."


def options_of(commands: Iterable[Command]) -> Sequence[Option]:
    """The options that some commands take."""
    return [*COMMON, *_special_of(commands)]


def _special_of(commands: Iterable[Command]) -> Sequence[Option]:
    taken = {name for command in commands for name in command.options}
    return [option for option in SPECIAL if option.name in taken]


def special_options(commands: Iterable[Command]) -> Mapping[str, str]:
    """The options that some commands take beside those of every command, with their meaning."""
    return {" ".join(filter(None, (each.name, each.value))): each.meaning for each in _special_of(commands)}
