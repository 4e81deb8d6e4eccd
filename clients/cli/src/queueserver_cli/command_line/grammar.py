"""All commands of `qserver`: one table from which parser, help and completion are made."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from queueserver_cli.command_line.command import Command
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.table import (
    environment,
    history,
    inventory,
    item,
    lock,
    permission,
    queue,
    run_engine,
    server,
    task,
)

COMMANDS = (
    *server.COMMANDS,
    *environment.COMMANDS,
    *queue.COMMANDS,
    *item.COMMANDS,
    *run_engine.COMMANDS,
    *history.COMMANDS,
    *task.COMMANDS,
    *permission.COMMANDS,
    *lock.COMMANDS,
    *inventory.COMMANDS,
)

#: What the tools for 0MQ know and what is done differently here.
_FORMER = {
    ("kernel",): "There is no IPython kernel yet: the environment runs plain Python. What executes is "
    "ended by: qserver re abort now",
    ("manager", "kill"): "The server does not end this way. To end it: qserver manager stop",
}


def find(words: Sequence[str]) -> tuple[Command, Sequence[str]]:
    """The command that the words begin with, and the words that follow it. Raises WrongCommand.

    Of two commands that fit, such as `item` and `item wait`, it is the longer one.
    """
    fitting = [command for command in COMMANDS if tuple(words[: len(command.words)]) == command.words]
    if not fitting:
        raise WrongCommand(_unknown(words))
    command = max(fitting, key=lambda command: len(command.words))
    return command, words[len(command.words) :]


def beginning_alike(words: Sequence[str]) -> list[Command]:
    """The commands that begin with the same words, as many as fit; none if not even the first one does."""
    for length in range(len(words), 0, -1):
        found = [command for command in COMMANDS if command.words[:length] == tuple(words[:length])]
        if found:
            return found
    return []


def _unknown(words: Sequence[str]) -> str:
    """Say what would be right."""
    for former, sentence in _FORMER.items():
        if tuple(words[: len(former)]) == former:
            return sentence
    near = beginning_alike(words)
    if not near:
        inner = [command for command in COMMANDS if words[0] in command.words[1:]]
        if inner:
            return _meant(f"There is no command {words[0]!r}.", inner)
        similar = difflib.get_close_matches(words[0], first_words(), n=1)
        meant = f": did you mean {similar[0]!r}?" if similar else "."
        begin = f"Commands begin with: {', '.join(first_words())}. See: qserver -h"
        return f"There is no command {words[0]!r}{meant} {begin}"
    alike = max(length for length in range(len(words) + 1) if near[0].words[:length] == tuple(words[:length]))
    if alike == len(words):
        return _meant(f"The command {' '.join(words)!r} is not complete.", near)
    return _meant(f"There is no command {' '.join(words[: alike + 1])!r}.", near)


def _meant(sentence: str, commands: Sequence[Command]) -> str:
    if len(commands) == 1:
        return f"{sentence} Usage: qserver {commands[0].usage}"
    return "\n".join([f"{sentence} Usage:", *(f"  qserver {command.usage}" for command in commands)])


def first_words() -> list[str]:
    """The words that a command can begin with."""
    return list(dict.fromkeys(command.words[0] for command in COMMANDS))
