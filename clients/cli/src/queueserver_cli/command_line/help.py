"""What `qserver -h` says: options, commands, words, examples and exit codes.

``qserver queue add --help`` is about the commands that begin with "queue add".
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from queueserver_cli.command_line.command import Command
from queueserver_cli.command_line.grammar import COMMANDS, beginning_alike
from queueserver_cli.command_line.options import special_options
from queueserver_cli.outcome import EXIT_CODES

_FIRST_STEPS = (
    ("start-re-manager", "in a terminal of its own: the server, with the demo's plans and devices"),
    ("qserver environment open --wait", "load plans and devices"),
    ("qserver plans", "which plans there are; what one takes: qserver plans scan"),
    (
        """qserver queue add plan '{"name": "scan", "args": [["det1"], "motor", -1, 1, 5]}'""",
        "put a scan into the queue: five points from -1 to 1",
    ),
    ("qserver queue start", "execute the queue"),
    ("qserver watch", "see the scan as it runs; Ctrl-C ends watching, not the scan"),
    ("qserver history get", "how it ended"),
    ("qserver why", "if nothing happens: why, and which command helps"),
)
#: What stands for what in the parameters of commands.
WORDS = (
    ("PLAN", "one word in quotes, JSON or a Python dictionary: name, args, kwargs, meta (one dictionary or several)"),
    ("FUNC", "as PLAN: name, args, kwargs of a function"),
    ("ADDR, DEST", "front, back, an index (negative from the back), before UID, after UID"),
    ("SRC", "front, back, an index or a UID"),
    ("UID", "of an item or a task, or its beginning as tables show it"),
    ("KIND", "status, queue, history, console, document, task, permission, lock; all of them if none is named"),
    ("MODE VALUE", "loop true|false, ignore_failures true|false, interrupted requeue|hold|drop"),
)


def format_help(words: Sequence[str], formatter: click.HelpFormatter) -> bool:
    """Write help about the commands that begin with some words; False if there is none."""
    commands = beginning_alike(words)
    if not commands:
        return False
    _format_commands(commands, formatter)
    parameters = " ".join(command.parameters for command in commands)
    meant = [(word, meaning) for word, meaning in WORDS if any(part in parameters for part in word.split(", "))]
    if meant:
        with formatter.section("Where"):
            formatter.write_dl(meant)
    _format_options(commands, formatter)
    _format_examples(commands, formatter)
    formatter.write("\nAll options and commands: qserver -h\n")
    return True


def format_first_steps(formatter: click.HelpFormatter) -> None:
    """Write what to type, from nothing to a finished scan."""
    with formatter.section("First steps"):
        for line, meaning in _FIRST_STEPS:
            formatter.write(f"  {line}\n      {meaning}\n")


def format_all(formatter: click.HelpFormatter) -> None:
    """Write help about all commands; the options of every command were written before."""
    _format_options(COMMANDS, formatter)
    _format_commands(COMMANDS, formatter)
    with formatter.section("Where"):
        formatter.write_dl(WORDS)
    _format_examples(COMMANDS, formatter)
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(int(code)), meaning) for code, meaning in EXIT_CODES.items()])


def _format_commands(commands: Sequence[Command], formatter: click.HelpFormatter) -> None:
    with formatter.section("Commands"):
        formatter.write_dl([(command.usage, command.summary) for command in commands], col_max=36)


def _format_options(commands: Sequence[Command], formatter: click.HelpFormatter) -> None:
    options = special_options(commands)
    if options:
        with formatter.section("Options of some commands"):
            formatter.write_dl(list(options.items()))


def _format_examples(commands: Sequence[Command], formatter: click.HelpFormatter) -> None:
    examples = [example for command in commands for example in command.examples]
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"  qserver {example}\n")
