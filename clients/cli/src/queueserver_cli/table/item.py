"""Commands about one item, from the queue to the history."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command(
        "item",
        "UID",
        "all about one item: state, attempts, runs, times, what it printed",
        "item:show",
        examples=["item 1a2b3c4d"],
    ),
    command("item wait", "UID", "wait until it has ended, and say how", "item:wait"),
    command("logs", "UID", "what an item or a task printed, as far as it is kept", "item:logs"),
)
