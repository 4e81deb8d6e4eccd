"""Commands about the server as a whole."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command("status", "", "what the Manager is doing", "status:status"),
    command("ping", "", "the same as status: whether the Manager answers", "status:status"),
    command("config", "", "versions, settings and bounds of the server, and its startup code", "server:config"),
    command(
        "manager stop",
        "[safe on|safe off]",
        "end the server: only if it is idle, or (safe off) whatever it is doing",
        "server:stop",
        "--wait",
        examples=["manager stop", "manager stop safe off --wait"],
    ),
    command("monitor", "", "the status, and each change of it, until Ctrl-C", "monitor:monitor"),
    command("why", "", "why nothing is running, and which command helps", "why:why"),
    command(
        "watch",
        "[KIND …]",
        "follow live: status, queue, history, console, document, task …",
        "watch:watch",
        "--resume",
        examples=["watch", "--json watch queue history"],
    ),
    command(
        "completion",
        "bash|zsh|fish",
        "let a shell complete commands, options, uids and names",
        "completion:completion",
        examples=["completion bash >> ~/.bash_completion"],
    ),
)
