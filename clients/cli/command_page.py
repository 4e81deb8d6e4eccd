"""Makes docs/reference/cli.md from the tables of commands, options and exit codes of `qserver`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from queueserver_cli.command_line.command import Command
from queueserver_cli.command_line.grammar import COMMANDS
from queueserver_cli.command_line.help import WORDS
from queueserver_cli.command_line.options import COMMON, Option
from queueserver_cli.command_line.special_options import SPECIAL, WRITTEN
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

_TAIL = """
## Ctrl-C

It ends a command at once, with exit code 130. What the server has begun continues, and a line on standard error says
how to follow or end it. If a change was on its way, the line says that it may or may not have been made.

## Names in bluesky-queueserver

| in bluesky-queueserver | here |
|---|---|
| `--zmq-control-addr`, `QSERVER_ZMQ_CONTROL_ADDRESS` | `--address`, `QSERVER_ADDRESS`, with a warning |
| `tcp://HOST:60615`, `tcp://HOST:60625` | `HOST:60630`, with a warning |
| another address that begins with a scheme | refused |
| `--zmq-encoding`, `QSERVER_ZMQ_ENCODING`, `QSERVER_ZMQ_PUBLIC_KEY` | nothing, with a warning |
| `QUEUESERVER_ADDRESS` and the like | the variable that begins with `QSERVER_` |

## Completion

`eval "$(qserver completion bash)"` in `~/.bashrc` lets Tab complete commands, options, and, if the server answers
within a second, uids and names. For zsh it is the same with `zsh` in `~/.zshrc`; fish takes
`qserver completion fish > ~/.config/fish/completions/qserver.fish`.

## qserver-console-monitor

It prints what startup code, plans and tasks print, unchanged and as it is printed, and the lines of the server's log
about what users do and how it ends, until Ctrl-C (exit code 0; 2 if the output can't be written, for
example to a full disk). It may be started before the server, and continues when the server comes back. Several may
run. What was printed before it began is not shown. The rest of [the log](../how-to/server-log.md), for example why the
server does not start, is only in the terminal of the server. `qserver watch console` shows what is printed without
the log.

| option | meaning |
|---|---|
| `--address HOST:PORT`, `-a HOST:PORT` | the server; also `QSERVER_ADDRESS` |
| `--zmq-info-addr`, `--zmq-subscribe-addr`, `QSERVER_ZMQ_INFO_ADDRESS` | taken as the address, with a warning |

## qserver-console, qserver-qtconsole

They say that there is no IPython kernel to connect to, and end with exit code 5.
"""


def page() -> str:
    """The whole page."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _HEAD
    for word, commands in groupby(COMMANDS, key=lambda command: command.words[0]):
        yield from _section(word, list(commands))
    yield "\n## Words in commands\n\n"
    yield from _table(("word", "stands for"), ((_code(word), meaning.replace("|", "\\|")) for word, meaning in WORDS))
    yield "\n## Options of every command\n\n"
    yield from _table(("option", "meaning", "default"), map(_option, COMMON))
    yield "\n`qserver --version` shows the version, and so does each of the other tools.\n"
    yield "\n## Options of some commands\n\n"
    yield from _table(("option", "meaning", "default"), map(_option, SPECIAL))
    yield "\n## Exit codes\n\n"
    yield from _table(("code", "meaning"), ((str(int(code)), meaning) for code, meaning in EXIT_CODES.items()))
    yield _TAIL


def _section(word: str, commands: list[Command]) -> Iterator[str]:
    yield f"\n## {word}\n\n"
    rows = (
        (
            f"`qserver {command.name}`",
            _code(command.parameters),
            _code(*(WRITTEN[option] for option in command.options)),
            command.summary,
        )
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
