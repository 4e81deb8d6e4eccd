"""The commands: one table from which both the parser and the help are made.

It names the code of each command as text, so that help and wrong commands cost no import of gRPC.
"""

from __future__ import annotations

import difflib
import importlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queueserver_cli.outcome import Answer, WrongCommand

if TYPE_CHECKING:
    from queueserver_cli.session import Session

#: A key or value of a dictionary that is no number, no text in quotes and no word that stands for itself.
_UNQUOTED = re.compile(r"[{,]\s*[^\W\d]\w*\s*:|[:,\[]\s*(?!(?:true|false|null|True|False|None)\b)[^\W\d]\w*\s*[,}\]]")
_QUOTE = (
    "\nWhere quotes are missing, the shell has taken them away: put the whole of it into single quotes, as in "
    """'{"name": "count", "args": [["det1"]]}'."""
)
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

    @property
    def _is_written_as_json(self) -> bool:
        return any(word in ("PLAN", "FUNC") for word in self.parameters.split())

    def parse(self, words: Sequence[str]) -> Action:
        """Make an action of the words that follow the command. Raises WrongCommand."""
        module, _, function = self.parser.partition(":")
        parser: Parser = getattr(importlib.import_module(f"queueserver_cli.commands.{module}"), function)
        try:
            return parser(words)
        except WrongCommand as error:
            hint = _QUOTE if self._is_written_as_json and _UNQUOTED.search(" ".join(words)) else ""
            raise WrongCommand(f"{error}{hint}\nRight is: qserver {self.usage}") from None


def _command(text: str, parameters: str, summary: str, parser: str) -> Command:
    return Command(tuple(text.split()), parameters, summary, parser)


COMMANDS = (
    _command("status", "", "what the Manager is doing", "status:status"),
    _command("why", "", "why nothing is being executed, and what to type about it", "why:why"),
    _command("watch", "[KIND …]", "follow live: status, queue, history, console, document, task …", "watch:watch"),
    _command("environment open", "", "load the startup code (--wait: follow it to its end)", "environment:open_"),
    _command("environment close", "", "close the environment in good order (--wait)", "environment:close"),
    _command("environment destroy", "", "kill the environment, whatever it does (--wait)", "environment:destroy"),
    _command("environment update", "[background]", "look again at RE, plans and devices", "task:update_environment"),
    _command(
        "environment report", "", "what of the startup code was left out, and why; what is not checked", "report:report"
    ),
    _command("queue add plan", "[ADDR] PLAN", "add a plan, at the back unless ADDR says otherwise", "queue:add_plan"),
    _command(
        "queue add instruction", "[ADDR] queue-stop", "add an instruction: stop the queue", "queue:add_instruction"
    ),
    _command("queue update plan", "UID PLAN", "replace an item by another plan; its uid stays", "queue:update_plan"),
    _command(
        "queue update instruction", "UID queue-stop", "replace an item by an instruction", "queue:update_instruction"
    ),
    _command("queue replace plan", "UID PLAN", "as queue update, but with a new uid", "queue:replace_plan"),
    _command(
        "queue replace instruction",
        "UID queue-stop",
        "as queue update, but with a new uid",
        "queue:replace_instruction",
    ),
    _command("queue execute plan", "PLAN", "execute a plan now, without the queue", "queue:execute_plan"),
    _command("queue execute instruction", "queue-stop", "execute an instruction now", "queue:execute_instruction"),
    _command("queue validate plan", "PLAN", "check a plan without adding it", "planning:validate_plan"),
    _command("queue simulate plan", "PLAN", "what a plan would do; nothing moves", "planning:simulate_plan"),
    _command("queue simulate item", "UID", "what an item of the queue would do", "planning:simulate_item"),
    _command("queue get", "", "list the queue and the running item", "queue:get"),
    _command("queue clear", "", "remove all items", "queue:clear"),
    _command("queue start", "", "start execution from the front", "queue_control:start"),
    _command("queue stop", "[cancel]", "stop after the running item, or take that back", "queue_control:stop"),
    _command("queue item get", "[SRC]", "show one item, the last one by default", "queue_item:get"),
    _command("queue item remove", "[SRC]", "remove one item, the last one by default", "queue_item:remove"),
    _command("queue item move", "SRC DEST", "move one item to another place", "queue_item:move"),
    _command(
        "queue mode set",
        "[default] [NAME VALUE …]",
        "set loop, ignore_failures, interrupted; default: as at first",
        "queue_control:set_mode",
    ),
    _command("queue autostart enable", "", "let the queue start by itself", "queue_control:enable_autostart"),
    _command("queue autostart disable", "", "start the queue only on request", "queue_control:disable_autostart"),
    _command("re pause", "[deferred|immediate]", "pause at the next checkpoint, or at once", "run_engine:pause"),
    _command("re resume", "", "let a paused plan go on", "run_engine:resume"),
    _command("re stop", "", "end a paused plan; it counts as a success", "run_engine:stop"),
    _command("re abort", "[now]", "end a paused plan as failed; now: a running one too", "run_engine:abort"),
    _command("re halt", "", "end a paused plan at once, without its cleaning up", "run_engine:halt"),
    _command("re answer", "TEXT [ID]", "answer the question that the running plan asks", "run_engine:answer"),
    _command("re runs", "[active|open|closed]", "list the runs of the running plan", "run_engine:runs"),
    _command("re metadata", "", "show the RunEngine's metadata", "run_engine:metadata"),
    _command("history get", "", "list what was executed, and what became of it", "history:get"),
    _command("history clear", "[N|UID]", "remove all; all but the newest N; or UID and older ones", "history:clear"),
    _command("function execute", "FUNC [background]", "call a function (--wait)", "task:execute_function"),
    _command(
        "script upload",
        "FILE [background] [update-re] [keep-lists]",
        "execute a script (--wait)",
        "task:upload_script",
    ),
    _command("task status", "UID", "whether a task runs or has ended", "task:status"),
    _command("task result", "UID", "what came out of a task", "task:result"),
    _command("task wait", "UID", "wait for the end of a task", "task:wait"),
    _command("task list", "", "tasks that run, and those whose results are kept", "task:list_"),
    _command("permissions get", "", "who may use what", "permissions:get"),
    _command("permissions set", "FILE", "replace the permissions by those of a YAML file", "permissions:set_"),
    _command("permissions reload", "[lists]", "let the server read its files again", "permissions:reload"),
    _command("allowed plans", "[NAME]", "plans that you may use; of one: what it takes", "inventory:allowed_plans"),
    _command(
        "allowed devices", "[NAME]", "devices that you may use; of one: what is below it", "inventory:allowed_devices"
    ),
    _command(
        "existing plans", "[NAME]", "all plans of the environment; of one: what it takes", "inventory:existing_plans"
    ),
    _command("allowed functions", "", "functions that you may call", "inventory:allowed_functions"),
    _command(
        "existing devices",
        "[NAME]",
        "all devices of the environment; of one: what is below it",
        "inventory:existing_devices",
    ),
    _command("existing functions", "", "all functions of the environment", "inventory:existing_functions"),
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


def beginning_alike(words: Sequence[str]) -> list[Command]:
    """The commands that begin with the same words, as many as fit; none if not even the first one does."""
    for length in range(len(words), 0, -1):
        found = [command for command in COMMANDS if command.words[:length] == tuple(words[:length])]
        if found:
            return found
    return []


def _unknown(words: Sequence[str]) -> str:
    """Say what would be right."""
    near = beginning_alike(words)
    if not near:
        similar = difflib.get_close_matches(words[0], first_words(), n=1)
        meant = f": did you mean {similar[0]!r}?" if similar else "."
        begin = f"Commands begin with: {', '.join(first_words())}. See: qserver -h"
        return f"There is no command {words[0]!r}{meant} {begin}"
    listed = "\n".join(f"  qserver {command.usage}" for command in near)
    alike = max(length for length in range(len(words) + 1) if near[0].words[:length] == tuple(words[:length]))
    if alike == len(words):
        return f"The command {' '.join(words)!r} is not complete. Right are:\n{listed}"
    return f"There is no command {' '.join(words[: alike + 1])!r}. Right are:\n{listed}"


def first_words() -> list[str]:
    """The words that a command can begin with."""
    return list(dict.fromkeys(command.words[0] for command in COMMANDS))
