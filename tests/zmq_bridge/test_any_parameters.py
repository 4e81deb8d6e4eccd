"""Parameters of any kind: each request is answered, a refusal says why, and nothing is a fault of the bridge."""

from __future__ import annotations

import random
from typing import Any

import pytest
from queueserver_zmq_bridge.methods import METHODS

from tests.zmq_bridge.old_client import OldClient

CALLS = 1500
#: They would end the server that the tests share.
NOT_HERE = {"manager_stop", "manager_kill", "permissions_set"}
DEEP: list[Any] = []
for _ in range(60):
    DEEP = [DEEP]
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**70, -(2**70), 1.5, float("nan"), float("inf")),
    *("", "a", "\ud800", "x" * 300, "\x00", "é" * 200, " ", "front", "back", "default", "primary", "root", "d" * 36),
    *([], [1], ["a"], [None], [[]], {}, {"a": 1}, {"loop": True}),
    {"item_type": "plan", "name": "count", "args": [["det1"]]},
    {"item_type": "plan", "name": "\ud800"},
    {"item_type": "plan", "name": "count", "args": [["\ud800"]]},
    {"item_type": "plan", "name": "count", "kwargs": {"\ud800": 1}},
    {"item_type": "plan", "name": "count", "args": [[float("nan")]]},
    {"item_type": "plan", "name": "count", "args": DEEP},
    {"item_type": ["plan"]},
    {"item_type": "instruction", "name": "queue_stop", "args": 5},
    {"item_type": "function", "name": "function_sleep", "args": [2**70]},
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_is_sent_is_answered_with_a_reason(client: OldClient, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    methods = [method for name, method in METHODS.items() if name not in NOT_HERE]
    for _ in range(CALLS):
        method = chance.choice(methods)
        params = {name: chance.choice(VALUES) for name in method.known if chance.random() < 0.7}
        if chance.random() < 0.5:
            params |= {name: value for name, value in SUBMITTER.items() if name in method.known}
        answer = client(method.name, **params)
        asked = f"{method.name} {params!a}"
        assert method.bare or isinstance(answer["success"], bool), asked
        assert method.bare or answer["success"] == (not answer["msg"]), asked
        assert "bridge failed" not in answer["msg"], asked


SUBMITTER = {"user": "tests", "user_group": "primary"}
ITEM = {"item_type": "plan", "name": "count", "args": [["det1"]]}


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ("\ud800", "user must be text, and has half a character"),
        (" a", "user: must not begin or end with a space"),
        ("a\u202eb", "user: must consist of visible characters"),
        ("a" * 101, "user: must have at most 100 characters"),
    ],
)
def test_a_user_whose_name_can_not_be_kept_is_told_why(client: OldClient, user: str, told: str) -> None:
    added = client("queue_item_add", item=ITEM, user=user, user_group="primary")
    assert added["success"] is False
    assert added["msg"].startswith(f"Failed to add an item: {told}")
    locked = client("lock", lock_key="a key", user=user, queue=True)
    assert locked["msg"].startswith(f"Error: {told}")


def test_a_user_group_with_half_a_character_is_told_to_be_one(client: OldClient) -> None:
    added = client("queue_item_add", item=ITEM, user="tests", user_group="\ud800")
    assert added["msg"].startswith("Failed to add an item: user_group must be text, and has half a character")
