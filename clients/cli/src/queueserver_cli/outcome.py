"""The result of a command: what is printed, and the exit code that scripts check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """How `qserver` exits."""

    #: The request succeeded, or a watch was ended with Ctrl-C.
    SUCCESS = 0
    #: Wrong command or parameters; nothing was sent.
    WRONG_COMMAND = 1
    #: The server refused, or what it was asked to do failed. Also: no command at all.
    REFUSED = 2
    #: The server could not be reached, or the connection broke.
    COMMUNICATION = 3
    #: Ended with Ctrl-C before the answer came.
    INTERRUPTED = 130


#: The exit codes as the help and the documentation have them.
EXIT_CODES = {
    ExitCode.SUCCESS: "done; or something that is followed was ended with Ctrl-C",
    ExitCode.WRONG_COMMAND: "wrong command or parameters; nothing was sent",
    ExitCode.REFUSED: "refused by the server, or what it was asked to do failed; also: no command at all",
    ExitCode.COMMUNICATION: "the server could not be reached, or the connection broke",
    ExitCode.INTERRUPTED: "ended with Ctrl-C before the answer came",
}


class WrongCommand(Exception):  # noqa: N818 - it says what is the matter
    """The words on the command line are wrong; the message says what would be right."""


@dataclass(frozen=True)
class Answer:
    """A dictionary in the words of the reference, and further data for programs only."""

    body: Mapping[str, Any]
    #: Printed with ``--json`` in place of the keys of the same name, and beside them.
    details: Mapping[str, Any] = field(default_factory=dict)
    #: Text for people on standard error, for example a traceback with its lines.
    appendix: str = ""
    exit_code: ExitCode = ExitCode.SUCCESS


DONE = Answer({"success": True, "msg": ""})
