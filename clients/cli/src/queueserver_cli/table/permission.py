"""Commands about permissions."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command("permissions get", "", "who may use what", "permissions:get"),
    command(
        "permissions set",
        "FILE",
        "replace the permissions by those of a YAML file",
        "permissions:set_",
        "--validate-only",
        examples=["permissions set new_permissions.yaml --validate-only"],
    ),
    command("permissions reload", "[lists]", "let the server read its files again", "permissions:reload"),
)
