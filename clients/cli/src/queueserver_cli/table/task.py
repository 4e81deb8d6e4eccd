"""Commands about functions, scripts and the tasks that they become."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command(
        "function execute",
        "FUNC [background]",
        "call a function",
        "task:execute_function",
        "--wait",
        examples=["""function execute '{"name": "function_sleep", "args": [3]}' --wait"""],
    ),
    command(
        "script upload",
        "FILE [background] [update-re] [keep-lists]",
        "execute a script",
        "task:upload_script",
        "--wait",
        examples=["script upload new_plans.py --wait"],
    ),
    command("task status", "UID", "whether a task runs or has ended", "task:status"),
    command("task result", "UID", "the result of a task", "task:result"),
    command("task wait", "UID", "wait for the end of a task", "task:wait"),
    command("task list", "", "tasks that run, and those whose results are kept", "task:list_"),
)
