"""Makes docs/reference/cli.md from the tables of commands, options and exit codes of `qserver`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from queueserver_cli.command import Command
from queueserver_cli.grammar import COMMANDS
from queueserver_cli.help import WORDS
from queueserver_cli.options import COMMON, SPECIAL, Option
from queueserver_cli.outcome import EXIT_CODES

_HEAD = """\
# Command line

`qserver` sends one command to the server and prints the answer. `qserver -h` shows what is on this page, and
`qserver queue -h` what begins with *queue*. [The tutorials](../tutorials/index.md) show it at work;
`start-re-manager` has a page of [its own](configuration.md).

The first line of an answer has the words that were typed, the second one the time. A dictionary follows, with its keys
in alphabetical order, as Python prints it. With `--json` there is one JSON document and nothing else. What is only for
people, such as progress, warnings and tracebacks, goes to standard error.

Each option of every command has its value from the first of these places that says something: the command line, an
environment variable, the default.

This page is made by `make proto` from the tables from which the command line is made.
"""


def page() -> str:
    """The whole page."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _HEAD
    for word, commands in groupby(COMMANDS, key=lambda command: command.words[0]):
        yield from _section(word, list(commands))
    yield "\n## Words in commands\n\n"
    yield from _table(("word", "stands for"), ((f"`{word}`", meaning) for word, meaning in WORDS))
    yield "\n## Options of every command\n\n"
    yield from _table(("option", "meaning", "default"), map(_option, COMMON))
    yield "\n## Options of some commands\n\n"
    yield from _table(("option", "meaning", "default"), map(_option, SPECIAL))
    yield "\n## Exit codes\n\n"
    yield from _table(("code", "meaning"), ((str(int(code)), meaning) for code, meaning in EXIT_CODES.items()))


def _section(word: str, commands: list[Command]) -> Iterator[str]:
    yield f"\n## {word}\n\n"
    rows = (
        (f"`qserver {command.name}`", _code(command.parameters), _code(*command.options), command.summary)
        for command in commands
    )
    yield from _table(("command", "followed by", "options", "does"), rows)
    examples = [example for command in commands for example in command.examples]
    if examples:
        yield "\n```text\n" + "".join(f"qserver {example}\n" for example in examples) + "```\n"


def _option(option: Option) -> tuple[str, str, str]:
    names = [" ".join(filter(None, (name, option.value))) for name in (option.name, option.other_name) if name]
    return _code(*names), option.meaning, "" if option.default is None else _code(str(option.default))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def _code(*texts: str) -> str:
    return ", ".join(f"`{text}`".replace("|", "\\|") for text in texts if text)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
