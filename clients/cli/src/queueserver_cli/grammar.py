"""The commands: one table from which both the parser and the help are made.

It names the code of each command as text, so that help and wrong commands cost no import of gRPC.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_cli.outcome import Answer, WrongCommand

if TYPE_CHECKING:
    from queueserver_cli.session import Session

#: Does what a command asks for; None if there is nothing left to print.
Action = Callable[["Session"], Awaitable["Answer | None"]]
#: Makes an action of the words that follow the command. Raises WrongCommand.
Parser = Callable[[Sequence[str]], Action]


@dataclass(frozen=True)
class Command:
    """One command of `qserver`."""

    #: The words that name it.
    words: tuple[str, ...]
    #: What may follow them.
    parameters: str
    summary: str
    #: Function that makes an action of the words that follow, below queueserver_cli.commands.
    parser: str

    @property
    def usage(self) -> str:
        """How to write it."""
        return " ".join(filter(None, (*self.words, self.parameters)))

    def parse(self, words: Sequence[str]) -> Action:
        """Make an action of the words that follow the command. Raises WrongCommand."""
        module, _, function = self.parser.partition(":")
        parser: Parser = getattr(importlib.import_module(f"queueserver_cli.commands.{module}"), function)
        try:
            return parser(words)
        except WrongCommand as error:
            raise WrongCommand(f"{error}\nRight is: qserver {self.usage}") from None


def _command(text: str, parameters: str, summary: str, parser: str) -> Command:
    return Command(tuple(text.split()), parameters, summary, parser)


COMMANDS = (
    _command("status", "", "what the Manager is doing", "status:status"),
    _command("watch", "[KIND …]", "follow live: status, queue, history, console, document", "watch:watch"),
    _command("environment open", "", "load the startup code (--wait: follow it to its end)", "environment:open_"),
    _command("environment close", "", "close the environment in good order (--wait)", "environment:close"),
    _command("environment destroy", "", "kill the environment, whatever it does (--wait)", "environment:destroy"),
    _command("queue add plan", "[ADDR] PLAN", "add a plan, at the back unless ADDR says otherwise", "queue:add_plan"),
    _command(
        "queue add instruction", "[ADDR] queue-stop", "add an instruction: stop the queue", "queue:add_instruction"
    ),
    _command("queue get", "", "list the queue and the running item", "queue:get"),
    _command("queue clear", "", "remove all items", "queue:clear"),
    _command("queue start", "", "start execution from the front", "queue:start"),
    _command("queue stop", "[cancel]", "stop after the running item, or take that back", "queue:stop"),
    _command("queue item get", "[SRC]", "show one item, the last one by default", "queue:get_item"),
    _command("queue item remove", "[SRC]", "remove one item, the last one by default", "queue:remove_item"),
    _command("queue item move", "SRC DEST", "move one item to another place", "queue:move_item"),
    _command("history get", "", "list what was executed, and what became of it", "history:get"),
    _command("history clear", "[N|UID]", "remove all; all but the newest N; or UID and older ones", "history:clear"),
    _command("allowed plans", "", "plans that you may use", "inventory:allowed_plans"),
    _command("allowed devices", "", "devices that you may use", "inventory:allowed_devices"),
    _command("existing plans", "", "all plans of the environment", "inventory:existing_plans"),
    _command("existing devices", "", "all devices of the environment", "inventory:existing_devices"),
)


def find(words: Sequence[str]) -> tuple[Command, Sequence[str]]:
    """The command that the words begin with, and the words that follow it. Raises WrongCommand."""
    for word in words:
        if word.startswith("--"):
            raise WrongCommand(f"There is no option {word!r}. See: qserver -h")
    for command in COMMANDS:
        length = len(command.words)
        if tuple(words[:length]) == command.words:
            return command, words[length:]
    raise WrongCommand(_unknown(words))


def _unknown(words: Sequence[str]) -> str:
    """Say what would be right: the commands that begin with the same words, as many as fit."""
    for length in range(len(words), 0, -1):
        near = [command for command in COMMANDS if command.words[:length] == tuple(words[:length])]
        if near:
            listed = "\n".join(f"  qserver {command.usage}" for command in near)
            return f"There is no command {' '.join(words[: length + 1])!r}. Right are:\n{listed}"
    return f"There is no command {words[0]!r}. Commands begin with: {', '.join(first_words())}. See: qserver -h"


def first_words() -> list[str]:
    """The words that a command can begin with."""
    return list(dict.fromkeys(command.words[0] for command in COMMANDS))
