"""The old `qserver` and `qserver-console-monitor`, unmodified, against the bridge."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest
from queueserver_client import Client, Plan

from tests.harness.process import TestProcess
from tests.harness.services import BridgeProcess
from tests.harness.stack import Stack
from tests.zmq_bridge.clients.installed import program

PLAN = "{'name': 'count', 'args': [['det1']], 'kwargs': {'num': 2}}"
OK, WRONG_USAGE, REFUSED = 0, 1, 2


@pytest.fixture(scope="module")
def shared_bridge(server: Stack) -> Iterator[BridgeProcess]:
    process = BridgeProcess(server.address)
    try:
        yield process
    finally:
        process.close()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("status", OK, "'manager_state': 'idle'"),
        ("ping", OK, "RE Manager v"),
        ("config", OK, "ip_connect_info"),
        ("existing plans", OK, "'count'"),
        ("existing devices", OK, "'det1'"),
        ("allowed plans", OK, "'count'"),
        ("allowed devices", OK, "'det1'"),
        ("permissions get", OK, "user_groups"),
        ("permissions reload", OK, "'success': True"),
        ("queue clear", OK, "'success': True"),
        (["queue", "add", "plan", PLAN], OK, "'qsize': 1"),
        (["queue", "add", "plan", "front", PLAN], OK, "'qsize': 2"),
        (["queue", "add", "plan", "-1", PLAN], OK, "'qsize': 3"),
        (["queue", "add", "plan", "back", "{'name': 'nope'}"], REFUSED, "Plan validation failed"),
        ("queue add instruction front queue-stop", OK, "'qsize': 4"),
        ("queue get", OK, "queue_stop"),
        ("queue item get front", OK, "queue_stop"),
        ("queue item get 1000", REFUSED, "Failed to get an item"),
        ("queue item move front back", OK, "queue_stop"),
        ("queue item move 0 2", OK, "'success': True"),
        ("queue item remove back", OK, "queue_stop"),
        ("queue mode set loop True", OK, "'success': True"),
        ("queue mode set loop False ignore_failures False", OK, "'success': True"),
        ("queue mode set loop 5", REFUSED, "Failed to set queue mode"),
        ("queue start", REFUSED, "does not exist"),
        ("queue stop", REFUSED, "not running"),
        ("queue stop cancel", OK, "'success': True"),
        ("queue autostart disable", OK, "'success': True"),
        ("environment close", REFUSED, "does not exist"),
        ("environment destroy", REFUSED, "does not exist"),
        ("environment update", REFUSED, "not open"),
        ("re pause", REFUSED, "does not exist"),
        ("re resume", REFUSED, "not paused"),
        ("re runs", OK, "'run_list': []"),
        ("re metadata", REFUSED, "does not exist"),
        ("history get", OK, "'items': []"),
        ("history clear", OK, "'success': True"),
        ("task status unknown", OK, "not_found"),
        ("task result unknown", OK, "not_found"),
        ("kernel interrupt", REFUSED, "IPython"),
        ("lock info", OK, "'queue': False"),
        ("lock all because --lock-key=key", OK, "'note': 'because'"),
        ("queue autostart enable", REFUSED, "Invalid lock key"),
        ("lock info --lock-key=wrong", REFUSED, "Invalid lock key"),
        ("unlock --lock-key=wrong", REFUSED, "Invalid lock key"),
        ("unlock --lock-key=key", OK, "'queue': False"),
        ("nonsense", WRONG_USAGE, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_command_is_answered(shared_bridge: BridgeProcess, words: str | list[str], code: int, told: str) -> None:
    """In this order: later commands count on what earlier ones did."""
    answer = _qserver(shared_bridge, *(words.split() if isinstance(words, str) else words))
    assert (answer.returncode, told in answer.stdout) == (code, True), answer.stdout + answer.stderr


def test_the_console_monitor_shows_what_is_printed(server: Stack, bridge: BridgeProcess) -> None:
    """When it has subscribed can't be seen from outside, so a plan prints its readings until it shows one."""
    command = [program("qserver-console-monitor"), "--zmq-info-addr", bridge.info_address]
    process = TestProcess("monitor", command)
    try:
        with Client(server.address) as client:
            client.environment.open()
            client.queue.execute(Plan("count", ["det1"], num=300, delay=0.1))
            process.output.wait_for("5.000", 40)
            client.environment.destroy()
        process.send(signal.SIGINT)
        process.wait(20)
    finally:
        process.close()


def _qserver(bridge: BridgeProcess, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("qserver"), "--zmq-control-addr", bridge.address, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
