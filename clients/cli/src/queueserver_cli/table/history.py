"""Commands about the history."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command(
        "history get",
        "[N]",
        "what was executed, and how it ended; only the newest N",
        "history:get",
        "--long",
        examples=["history get", "history get 200", "history get --long", "--json history get"],
    ),
    command("history clear", "[N|UID]", "remove all; all but the newest N; or UID and older ones", "history:clear"),
)
