"""One command of `qserver`, as a row of the table.

It names its code as text, so that help and wrong commands need no import of gRPC.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from queueserver_cli.command_line.special_options import WRITTEN
from queueserver_cli.outcome import Answer, ExitCode, WrongCommand

if TYPE_CHECKING:
    from queueserver_cli.session import Session

#: A key or value of a dictionary that is not a number, no quoted text and no word that stands for itself.
_UNQUOTED = re.compile(r"[{,]\s*[^\W\d]\w*\s*:|[:,\[]\s*(?!(?:true|false|null|True|False|None)\b)[^\W\d]\w*\s*[,}\]]")
_QUOTE = (
    "\nWhere quotes are missing, the shell has taken them away: put the whole of it into single quotes, as in "
    """'{"name": "count", "args": [["det1"]]}'."""
)
#: Does what a command requests; where there is nothing left to print, it returns an exit code, or None for success.
CommandBody = Callable[["Session"], Awaitable["Answer | ExitCode | None"]]


@dataclass(frozen=True)
class Local:
    """The result of a command that needs no server: a text for standard output, and nothing else."""

    text: str


#: Makes an action of the words that follow the command. Raises WrongCommand.
Parser = Callable[[Sequence[str]], "CommandBody | Local"]


@dataclass(frozen=True)
class Command:
    """One command of `qserver`."""

    #: The words that name it.
    words: tuple[str, ...]
    #: What may follow them.
    parameters: str
    summary: str
    #: Below queueserver_cli.commands: the function that makes an action of the words that follow. Of a command without
    #: parameters it is the action itself.
    code: str
    #: Names of the options that it takes beside those of every command; see queueserver_cli.command_line.options.
    options: tuple[str, ...]
    #: What to type, for the help; without `qserver`.
    examples: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its words as one text."""
        return " ".join(self.words)

    @property
    def usage(self) -> str:
        """How to write it."""
        options = [f"[{WRITTEN[option]}]" for option in self.options]
        return " ".join(filter(None, (*self.words, self.parameters, *options)))

    @property
    def _is_written_as_json(self) -> bool:
        return any(word in ("PLAN", "FUNC") for word in self.parameters.split())

    def parse(self, words: Sequence[str]) -> CommandBody | Local:
        """Make an action of the words that follow the command. Raises WrongCommand."""
        module, _, name = self.code.partition(":")
        function = getattr(importlib.import_module(f"queueserver_cli.commands.{module}"), name)
        try:
            return cast("Parser", function)(words) if self.parameters else _alone(function, words)
        except WrongCommand as error:
            hint = _QUOTE if self._is_written_as_json and _UNQUOTED.search(" ".join(words)) else ""
            raise WrongCommand(f"{error}{hint}\nUsage: qserver {self.usage}") from None


def nothing_more(words: Sequence[str]) -> None:
    """Refuse superfluous words."""
    if words:
        raise WrongCommand(f"Too many words: {' '.join(words)!r}.")


def _alone(action: CommandBody, words: Sequence[str]) -> CommandBody:
    """The action of a command that no words may follow."""
    nothing_more(words)
    return action


def command(
    words: str, parameters: str, summary: str, code: str, *options: str, examples: Sequence[str] = ()
) -> Command:
    """A row of the table."""
    return Command(tuple(words.split()), parameters, summary, code, options, tuple(examples))
