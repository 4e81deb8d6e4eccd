"""`qserver completion …`: the script with which a shell completes what is typed. It needs no server."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_cli.command import Local
from queueserver_cli.completion import SHELLS, script
from queueserver_cli.outcome import WrongCommand
from queueserver_cli.places import nothing_more


def completion(words: Sequence[str]) -> Local:
    """`completion bash|zsh|fish`."""
    if not words:
        raise WrongCommand(f"Name the shell: {', '.join(SHELLS)}.")
    nothing_more(words[1:])
    from queueserver_cli.program import qserver  # noqa: PLC0415 - the program imports the commands

    return Local(script(words[0], qserver()))
