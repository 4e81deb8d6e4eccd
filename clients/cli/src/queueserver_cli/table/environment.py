"""Commands about the environment."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command(
        "environment open",
        "",
        "load the startup code",
        "environment:open_",
        "--wait",
        examples=["environment open --wait"],
    ),
    command("environment close", "", "close the environment in good order", "environment:close", "--wait"),
    command("environment destroy", "", "kill the environment, whatever it does", "environment:destroy", "--wait"),
    command(
        "environment update",
        "[background]",
        "look again at RE, plans and devices",
        "task:update_environment",
        "--wait",
    ),
    command(
        "environment report",
        "",
        "what of the startup code was left out, and why; what is not checked",
        "report:report",
    ),
)
