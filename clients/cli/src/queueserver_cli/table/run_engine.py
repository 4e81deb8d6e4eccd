"""Commands about the RunEngine and the plan that it runs."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command(
        "re pause",
        "[deferred|immediate]",
        "pause at the next checkpoint, or at once",
        "run_engine:pause",
        "--wait",
        "--item",
        examples=["re pause immediate --wait"],
    ),
    command("re resume", "", "continue a paused plan", "run_engine:resume", "--wait"),
    command("re stop", "", "end a paused plan; it counts as a success", "run_engine:stop", "--wait", "--item"),
    command(
        "re abort",
        "[now]",
        "end a paused plan as failed; now: a running one too",
        "run_engine:abort",
        "--wait",
        "--item",
        examples=["re abort now", "re abort now --item 5f1c0b0e-6a0e-4d8e-9d55-0c1c7a5d2f3e"],
    ),
    command("re halt", "", "end a paused plan at once, without its cleaning up", "run_engine:halt", "--wait", "--item"),
    command("re answer", "TEXT [ID]", "answer the question that the running plan asks", "run_engine:answer"),
    command("re runs", "[active|open|closed]", "list the runs of the running plan", "run_engine:runs"),
    command("re metadata", "", "show the RunEngine's metadata", "run_engine:metadata"),
)
