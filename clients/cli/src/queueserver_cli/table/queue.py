"""Commands about the queue."""

from __future__ import annotations

from queueserver_cli.command import command

COMMANDS = (
    command(
        "queue add plan",
        "[ADDR] PLAN",
        "add a plan, at the back unless ADDR says otherwise",
        "queue:add_plan",
        "--validate-only",
        examples=[
            """queue add plan '{"name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 5}}'""",
            """queue add plan front '{"name": "scan", "args": [["det1"], "motor", -2, 2, 5]}'""",
        ],
    ),
    command(
        "queue add instruction",
        "[ADDR] queue-stop",
        "add an instruction: stop the queue",
        "queue:add_instruction",
        "--validate-only",
        examples=["queue add instruction -2 queue-stop"],
    ),
    command(
        "queue update plan",
        "UID PLAN",
        "replace an item by another plan; its uid stays",
        "queue:update_plan",
        "--validate-only",
        examples=["""queue update plan UID '{"name": "count", "args": [["det1"]]}' --validate-only"""],
    ),
    command(
        "queue update instruction",
        "UID queue-stop",
        "replace an item by an instruction",
        "queue:update_instruction",
        "--validate-only",
    ),
    command(
        "queue replace plan",
        "UID PLAN",
        "as queue update, but with a new uid",
        "queue:replace_plan",
        "--validate-only",
    ),
    command(
        "queue replace instruction",
        "UID queue-stop",
        "as queue update, but with a new uid",
        "queue:replace_instruction",
        "--validate-only",
    ),
    command(
        "queue execute plan",
        "PLAN",
        "execute a plan now, without the queue",
        "queue:execute_plan",
        "--validate-only",
        examples=["""queue execute plan '{"name": "count", "args": [["det1"]]}'"""],
    ),
    command(
        "queue execute instruction",
        "queue-stop",
        "execute an instruction now",
        "queue:execute_instruction",
        "--validate-only",
    ),
    command("queue validate plan", "PLAN", "check a plan without adding it", "planning:validate_plan"),
    command(
        "queue simulate plan",
        "PLAN",
        "what a plan would do; nothing moves",
        "planning:simulate_plan",
        examples=["""queue simulate plan '{"name": "scan", "args": [["det1"], "motor", -2, 2, 5]}'"""],
    ),
    command("queue simulate item", "UID", "what an item of the queue would do", "planning:simulate_item"),
    command("queue get", "", "list the queue and the running item", "queue:get"),
    command("queue clear", "", "remove all items", "queue:clear"),
    command("queue start", "", "start execution from the front", "queue_control:start", examples=["queue start"]),
    command("queue stop", "[cancel]", "stop after the running item, or take that back", "queue_control:stop"),
    command("queue item get", "[SRC]", "show one item, the last one by default", "queue_item:get"),
    command("queue item remove", "[SRC]", "remove one item, the last one by default", "queue_item:remove"),
    command(
        "queue item move",
        "SRC DEST",
        "move one item to another place",
        "queue_item:move",
        examples=["queue item move UID before UID"],
    ),
    command(
        "queue mode set",
        "[default] [MODE VALUE …]",
        "set loop, ignore_failures, interrupted; default: as at first",
        "queue_control:set_mode",
        examples=["queue mode set loop true interrupted hold"],
    ),
    command("queue autostart enable", "", "let the queue start by itself", "queue_control:enable_autostart"),
    command("queue autostart disable", "", "start the queue only on request", "queue_control:disable_autostart"),
)
