"""Commands about the history."""

from __future__ import annotations

from queueserver_cli.command import command

COMMANDS = (
    command(
        "history get",
        "",
        "list what was executed, and what became of it",
        "history:get",
        examples=["--json history get"],
    ),
    command("history clear", "[N|UID]", "remove all; all but the newest N; or UID and older ones", "history:clear"),
)
