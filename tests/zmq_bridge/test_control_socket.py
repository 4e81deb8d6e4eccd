"""The control socket against what networks and programs do to it: every request is answered, and nobody is held up."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import zmq
from queueserver_client import Client

from tests.harness.process import TestProcess
from tests.harness.services import BridgeProcess
from tests.harness.stack import Stack
from tests.zmq_bridge.old_client import OldClient

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("request_bytes", "told"),
    [
        pytest.param(b"", "decode", id="nothing"),
        pytest.param(b"garbage", "decode", id="no JSON"),
        pytest.param(b"\xff\xfe\x00", "decode", id="no UTF-8"),
        pytest.param(b"[" * 100_000, "decode", id="nested without an end"),
        pytest.param(b'{"method": "status"', "decode", id="cut off"),
        pytest.param(b"[]", "request type", id="a list"),
        pytest.param(b"null", "request type", id="null"),
        pytest.param(b'"status"', "request type", id="a text"),
        pytest.param(b"{}", "not specified", id="no method"),
        pytest.param(b'{"params": {}}', "not specified", id="parameters alone"),
        pytest.param(b'{"method": "status", "x": 1}', "unexpected", id="another key"),
        pytest.param(b'{"method": "nope"}', "nope", id="unknown method"),
        pytest.param(b'{"method": ["status"]}', "Unknown method", id="a list as method"),
        pytest.param(b'{"method": {"a": 1}}', "Unknown method", id="an object as method"),
        pytest.param(b'{"method": "queue_get", "params": [1]}', "params", id="a list as parameters"),
        pytest.param(b'{"method": "queue_get", "params": {"x": 1}}', "unsupported", id="unknown parameter"),
        pytest.param(
            b'{"method": "queue_clear", "params": {"lock_key": "\\ud800"}}', "half a char", id="half a character"
        ),
    ],
)
def test_what_is_no_request_is_answered_and_not_dropped(client: OldClient, request_bytes: bytes, told: str) -> None:
    answer = client.send(request_bytes)
    assert answer["success"] is False
    assert told in answer["msg"]
    assert client("status")["manager_state"] == "idle"


def test_a_request_of_several_frames_is_answered(bridge: BridgeProcess) -> None:
    with _raw(bridge, zmq.REQ) as requester:
        requester.send_multipart([b'{"method": ', b'"status"}'])
        assert requester.poll(2000)
        assert b"decode" in requester.recv()


def test_msgpack_is_spoken_when_asked_for(server: Stack) -> None:
    with (
        _bridge(server, "--zmq-encoding", "msgpack") as bridge,
        OldClient(bridge.address, encoding="msgpack") as client,
    ):
        assert client("status")["manager_state"] == "idle"
        assert client("queue_get")["items"] == []
        assert "decode" in client.send(b"\xc1")["msg"]
        assert "decode" in client.send(b"\xdf\xff\xff\xff\xff")["msg"]
        assert client("status")["manager_state"] == "idle"


def test_only_clients_with_the_servers_key_are_heard_when_there_is_a_key(server: Stack) -> None:
    public, private = zmq.curve_keypair()
    another, _ = zmq.curve_keypair()
    with _bridge(server, key=private.decode()) as bridge:
        for server_key in ("", another.decode()):
            with OldClient(bridge.address, server_key=server_key) as stranger, pytest.raises(TimeoutError):
                stranger("status")
        with OldClient(bridge.address, server_key=public.decode()) as client:
            assert client("status")["manager_state"] == "idle"


def test_a_key_that_is_none_is_told_at_the_start(server: Stack) -> None:
    command = _command(server.address, "--zmq-control-addr", "tcp://127.0.0.1:0")
    process = TestProcess("bridge", command, environment={"QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER": "secret-word"})
    try:
        assert process.wait(30) == 1
        assert "qserver-zmq-keys" in str(process.output)
        assert "secret-word" not in str(process.output)
    finally:
        process.close()


def test_an_address_that_is_taken_is_told_at_the_start(server: Stack, bridge: BridgeProcess) -> None:
    process = TestProcess("bridge", _command(server.address, "--zmq-control-addr", bridge.address))
    try:
        assert process.wait(30) == 1
        assert "another process has it" in str(process.output)
    finally:
        process.close()


def test_status_is_answered_while_another_clients_call_waits(bridge: BridgeProcess, server: Stack) -> None:
    """With the Worker stopped, metadata can't be read until the call's time is over; the old server waited with it."""
    with OldClient(bridge.address) as slow, OldClient(bridge.address) as other:
        with Client(server.address) as native:
            native.environment.open()
        worker = psutil.Process(server.pid("worker"))
        worker.suspend()
        try:
            slow.put(b'{"method": "re_metadata"}')
            assert all("manager_state" in other("status") for _ in range(20))
            assert not slow.is_answered()
        finally:
            worker.resume()
        assert "success" in slow.take(5.0)


def test_clients_that_vanish_and_scans_of_the_port_do_no_harm(bridge: BridgeProcess, client: OldClient) -> None:
    host, port = _host_and_port(bridge)
    noise = random.Random(14)  # noqa: S311 - no secret
    half_open = [socket.create_connection((host, port)) for _ in range(20)]
    for connection in half_open[:10]:
        connection.sendall(b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03")
    for _ in range(100):
        with socket.create_connection((host, port)) as connection, contextlib.suppress(OSError):
            connection.sendall(noise.randbytes(noise.randrange(200)))
    for _ in range(50):
        with OldClient(bridge.address) as vanishing:
            vanishing.put(b'{"method": "queue_get"}')
    assert client("status")["manager_state"] == "idle"
    for connection in half_open:
        connection.close()
    assert client("queue_get")["success"]


def test_frames_of_any_kind_do_no_harm(bridge: BridgeProcess, client: OldClient) -> None:
    noise = random.Random(15)  # noqa: S311 - no secret
    with _raw(bridge, zmq.DEALER) as dealer:
        for _ in range(300):
            frames = [noise.randbytes(noise.choice((0, 1, 5, 300))) for _ in range(noise.randrange(1, 6))]
            dealer.send_multipart(frames)
        dealer.send_multipart([b"", b'{"method": "status"}'])
        assert client("status")["manager_state"] == "idle"
    assert client("queue_get")["success"]


def test_a_flood_of_one_client_is_refused_and_holds_nobody_up(bridge: BridgeProcess, client: OldClient) -> None:
    with _raw(bridge, zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.RCVHWM, 10_000)
        for _ in range(2000):
            dealer.send_multipart([b"", b'{"method": "queue_get"}'])
        assert client("status")["manager_state"] == "idle"


def test_requests_of_any_length_leave_the_memory_bounded(bridge: BridgeProcess, client: OldClient) -> None:
    process = psutil.Process(bridge.process.pid)
    client("status")
    before = process.memory_info().rss
    body = b'{"method": "queue_get", "params": {"x": [' + b"1," * MEGABYTE + b"1]}}"
    with contextlib.ExitStack() as opened:
        senders = [opened.enter_context(OldClient(bridge.address)) for _ in range(12)]
        for sender in senders:
            sender.put(body)
        answers = [sender.take(30.0) for sender in senders]
        assert all(answer["success"] is False for answer in answers)
        assert client("status")["manager_state"] == "idle"
    assert process.memory_info().rss - before < 600 * MEGABYTE
    assert client("status")["manager_state"] == "idle"


def test_a_message_that_is_too_long_ends_the_connection_and_nothing_else(
    bridge: BridgeProcess, client: OldClient
) -> None:
    with OldClient(bridge.address) as sender:
        sender.put(b" " * (17 * MEGABYTE))
        with pytest.raises(TimeoutError):
            sender.take(1.0)
    assert client("status")["manager_state"] == "idle"


def test_every_call_is_answered_while_the_manager_is_away(server: Stack, bridge: BridgeProcess) -> None:
    with OldClient(bridge.address) as client:
        assert client("status")["manager_state"] == "idle"
        manager = psutil.Process(server.pid("manager"))
        manager.suspend()
        try:
            for method in ("status", "queue_get", "queue_clear", "environment_open"):
                answer = client(method)
                assert answer["success"] is False
                assert answer["msg"]
        finally:
            manager.resume()
        assert client("status")["manager_state"] == "idle"


@contextlib.contextmanager
def _bridge(server: Stack, *options: str, key: str = "") -> Iterator[BridgeProcess]:
    process = BridgeProcess(server.address, *options, environment={"QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER": key})
    try:
        yield process
    finally:
        process.close()


def _command(manager: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "queueserver_zmq_bridge", "--manager", manager, *options]


@contextlib.contextmanager
def _raw(bridge: BridgeProcess, kind: int) -> Iterator[Any]:
    context = zmq.Context()
    raw = context.socket(kind)
    raw.setsockopt(zmq.LINGER, 0)
    raw.connect(bridge.address)
    try:
        yield raw
    finally:
        context.destroy(linger=0)


def _host_and_port(bridge: BridgeProcess) -> tuple[str, int]:
    host, port = bridge.address.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)
