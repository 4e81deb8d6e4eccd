"""Commands about plans, devices and functions."""

from __future__ import annotations

from queueserver_cli.command import command

COMMANDS = (
    command(
        "allowed plans",
        "[NAME]",
        "plans that you may use; of one: what it takes",
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
