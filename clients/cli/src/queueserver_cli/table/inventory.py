"""Commands about plans, devices and functions."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

COMMANDS = (
    command(
        "plans",
        "[NAME]",
        "plans that you may use, as a table; of one: how to call it",
        "offers:plans",
        examples=["plans", "plans count"],
    ),
    command("devices", "[NAME]", "devices that you may use, as a table; of one: what is below it", "offers:devices"),
    command("functions", "", "functions that you may call, as a table", "offers:functions"),
    command(
        "allowed plans",
        "[NAME]",
        "names of plans that you may use; of one: what it takes",
        "inventory:allowed_plans",
        examples=["allowed plans count"],
    ),
    command(
        "allowed devices", "[NAME]", "devices that you may use; of one: what is below it", "inventory:allowed_devices"
    ),
    command("allowed functions", "", "functions that you may call", "inventory:allowed_functions"),
    command(
        "existing plans", "[NAME]", "all plans of the environment; of one: what it takes", "inventory:existing_plans"
    ),
    command(
        "existing devices",
        "[NAME]",
        "all devices of the environment; of one: what is below it",
        "inventory:existing_devices",
    ),
    command("existing functions", "", "all functions of the environment", "inventory:existing_functions"),
)
