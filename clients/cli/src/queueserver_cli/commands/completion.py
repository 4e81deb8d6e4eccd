"""`qserver completion …`: the script with which a shell completes what is typed. It needs no server."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_cli.command_line.command import Local
from queueserver_cli.command_line.completion import SHELLS, script
from queueserver_cli.outcome import WrongCommand


def completion(words: Sequence[str]) -> Local:
    """`completion bash|zsh|fish`."""
    if len(words) != 1:
        raise WrongCommand(f"Name one shell: {', '.join(SHELLS)}.")
    from queueserver_cli.program import qserver  # noqa: PLC0415 - the program imports the commands

    return Local(script(words[0], qserver()))
