"""start-re-manager starts the bridge, keeps it running, and does what its clients ask of the whole server."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any, Final

import psutil
import pytest
import zmq
from queueserver_client import Client, Plan

from tests.harness.gate import gate_in
from tests.harness.ports import reserved_port
from tests.harness.services import REPOSITORY, BridgeProcess
from tests.harness.stack import Stack, running_stack, short_directory
from tests.zmq_bridge.old_client import OldClient
from tests.zmq_bridge.subscriber import Subscriber

_PLANS: Final = REPOSITORY / "tests" / "e2e" / "startup"
_REQUEST: Final = {"user": "somebody", "user_group": "primary"}


class Served:
    """A server with a bridge on ports of its own."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.control, self.info = (f"tcp://{host}:{reserved_port()}" for _ in range(2))
        self.options = ("--zmq-bridge", "ON", "--zmq-control-addr", self.control, "--zmq-info-addr", self.info)


@contextlib.contextmanager
def _serving(*options: str) -> Iterator[tuple[Stack, Served]]:
    served = Served()
    with running_stack(*served.options, *options, startup=_PLANS) as stack:
        yield stack, served


def test_clients_of_both_kinds_are_served() -> None:
    with (
        _serving() as (stack, served),
        OldClient(served.control) as old,
        Subscriber(served.info),
        Client(stack.address),
    ):
        assert old("status")["manager_state"] == "idle"
        assert old("environment_open")["success"]
        parts = psutil.Process(stack.supervisor.pid).children()
        assert len(parts) == 4
        assert stack.stop() == 0
        assert not any(part.is_running() for part in parts)


def test_a_bridge_that_dies_is_started_again_and_disturbs_no_plan() -> None:
    with (
        short_directory() as directory,
        gate_in(directory) as gate,
        _serving() as (stack, served),
        Client(stack.address) as client,
    ):
        client.environment.open()
        item = client.queue.execute(Plan("gated_run", gate.path))
        seen = len(stack.supervisor.output.lines())
        psutil.Process(stack.pid("bridge")).kill()
        stack.supervisor.output.wait_for("0MQ bridge runs again", after=seen)
        with OldClient(served.control) as old:
            assert old("status")["running_item_uid"] == item.uid
        gate.open()
        assert item.result(20).result.exit_status.value == "completed"


def test_manager_stop_is_answered_and_then_everything_ends_within_five_seconds() -> None:
    with _serving() as (stack, served), OldClient(served.control) as old, Subscriber(served.info) as subscriber:
        assert old("environment_open")["success"]
        subscriber.statuses_until(_is_open_and_idle)
        assert old("manager_stop") == {"success": True, "msg": ""}
        assert stack.supervisor.wait(5.0) == 0


def test_manager_kill_is_never_answered_and_the_manager_comes_back_as_it_was() -> None:
    with (
        short_directory() as directory,
        gate_in(directory) as gate,
        _serving() as (stack, served),
        OldClient(served.control) as old,
        OldClient(served.control) as killing,
        Subscriber(served.info) as subscriber,
    ):
        assert old("environment_open")["success"]
        subscriber.statuses_until(_is_open_and_idle)
        item = {"item_type": "plan", "name": "gated_run", "args": [gate.path]}
        for _ in range(3):
            assert old("queue_item_add", item=item, **_REQUEST)["success"]
        assert old("queue_start")["success"]
        subscriber.statuses_until(lambda status: status["re_state"] == "running")
        assert old("lock", queue=True, lock_key="key", user="somebody", note="mine")["success"]
        queue, status, lock = old("queue_get"), old("status"), old("lock_info")
        manager, seen = stack.pid("manager"), len(stack.supervisor.output.lines())
        killing.put(json.dumps({"method": "manager_kill"}).encode())
        stack.supervisor.output.wait_for("Manager runs again", within=6.0, after=seen)
        assert stack.pid("manager") != manager
        assert old("queue_get") == queue
        subscriber.statuses_until(lambda found: _without_marks(found) == _without_marks(status))
        assert old("lock_info") == lock
        assert not killing.is_answered()
        gate.open(3)
        subscriber.statuses_until(lambda found: found["items_in_history"] == 3 and _is_open_and_idle(found))


def test_a_bridge_of_its_own_can_not_kill_the_manager() -> None:
    with running_stack(startup=_PLANS) as stack:
        bridge = BridgeProcess(stack.address)
        try:
            with OldClient(bridge.address) as old:
                refused = old("manager_kill")
                assert not refused["success"]
                assert "nothing would start it again" in refused["msg"]
                assert "unsupported" in old("manager_kill", lock_key="x")["msg"]
                assert old("status")["manager_state"] == "idle"
        finally:
            bridge.close()


def test_a_key_is_required_when_there_is_one_and_nobody_else_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    public, private = (key.decode() for key in zmq.curve_keypair())
    monkeypatch.setenv("QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER", private)
    served = Served("*")
    with running_stack(*served.options, startup=_PLANS) as stack:
        address = served.control.replace("*", "127.0.0.1")
        with OldClient(address, server_key=public) as old:
            assert old("environment_open")["success"]
            with Subscriber(served.info.replace("*", "127.0.0.1")) as subscriber:
                subscriber.statuses_until(_is_open_and_idle)
        with OldClient(address) as stranger, pytest.raises(TimeoutError):
            stranger("status")
        everyone = [psutil.Process(pid) for pid in stack.pids()]
        assert len([one for one in everyone if private in one.environ().values()]) == 1
        assert not [one for one in everyone if private in " ".join(one.cmdline())]
        assert private not in stack.log()
        assert "never encrypted" in stack.log()


@pytest.mark.parametrize("option", ["--zmq-control-addr", "--zmq-info-addr"])
def test_an_address_that_others_can_reach_needs_a_key_or_a_word(option: str) -> None:
    with _ended(option, f"tcp://*:{reserved_port()}") as log:
        assert f"{option} tcp://*:" in log
        assert "QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER" in log
        assert "--insecure-listen" in log
    served = Served("*")
    with (
        running_stack(*served.options, "--insecure-listen", startup=_PLANS) as stack,
        OldClient(served.control.replace("*", "127.0.0.1")) as old,
    ):
        assert old("status")["manager_state"] == "idle"
        assert "let a firewall guard it" in stack.log()


def test_an_address_that_was_given_and_is_taken_keeps_the_server_from_starting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with _ended("--zmq-control-addr", address) as log:
            assert f"--zmq-control-addr {address} can't be used: another process has it" in log
            assert "0MQ bridge could not start" in log


def test_a_usual_address_that_is_taken_only_leaves_the_bridge_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QSERVER_ZMQ_BRIDGE")
    with contextlib.ExitStack() as held:
        # One of them is enough. Another server may have one already, which is as good.
        for port in (60615, 60625):
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        with _usual_stack() as stack, Client(stack.address) as client:
            client.status()
            (line,) = [line for line in stack.supervisor.output.lines() if "bluesky-queueserver" in line]
            assert "another program has tcp://127.0.0.1:606" in line
            assert "--zmq-bridge OFF" in line
            assert len(psutil.Process(stack.supervisor.pid).children()) == 3


@contextlib.contextmanager
def _usual_stack() -> Iterator[Stack]:
    """A server of which nothing is said about a bridge."""
    with short_directory() as directory:
        stack = Stack(directory, startup=_PLANS, bridge="")
        try:
            stack.start()
            yield stack
        finally:
            stack.close()


@contextlib.contextmanager
def _ended(*options: str) -> Iterator[str]:
    """The log of a server that does not start."""
    with short_directory() as directory:
        stack = Stack(directory, "--zmq-bridge", "ON", *options, startup=_PLANS)
        try:
            assert stack.launch().wait(30) == 1
            yield stack.log()
        finally:
            stack.close()


def _is_open_and_idle(status: dict[str, Any]) -> bool:
    return bool(status["worker_environment_exists"]) and status["manager_state"] == "idle"


def _without_marks(status: dict[str, Any]) -> dict[str, Any]:
    """What a status says, without what is new with each Manager."""
    return {key: value for key, value in status.items() if not key.endswith("_uid") and key != "time"}
