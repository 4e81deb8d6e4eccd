"""Code that imports bluesky_queueserver, with the stand-in for it, against the bridge."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from queueserver_client import Client
from queueserver_environment.user_api import (
    CommTimeoutError,
    ReceiveConsoleOutput,
    ReceiveConsoleOutputAsync,
    ReceiveSystemInfo,
    ReceiveSystemInfoAsync,
    ZMQCommSendAsync,
    ZMQCommSendThreads,
    generate_zmq_keys,
    generate_zmq_public_key,
    validate_zmq_key,
    zmq_single_request,
)

from tests.harness.services import BridgeProcess
from tests.harness.stack import Stack
from tests.harness.wait import bounded

PLAN = {"item_type": "plan", "name": "count", "args": [["det1"]], "kwargs": {"num": 1}}
SUBMIT = {"item": PLAN, "user": "Anna", "user_group": "primary"}
PROGRAM = """
import sys
from bluesky_queueserver import ZMQCommSendThreads, is_re_worker_active
from bluesky_queueserver.manager.comms import zmq_single_request
import beside

client = ZMQCommSendThreads(zmq_server_address=sys.argv[1])
print(client.send_message(method="status")["manager_state"], is_re_worker_active(), __name__, beside.VALUE)
"""


@pytest.fixture
def sender(bridge: BridgeProcess) -> Iterator[Any]:
    made = ZMQCommSendThreads(zmq_server_address=bridge.address)
    yield made
    made.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"


def test_requests_are_answered(sender: Any, server: Stack) -> None:
    assert sender.send_message(method="status")["manager_state"] == "idle"
    added = sender.send_message(method="queue_item_add", params=SUBMIT)
    assert (added["success"], added["item"]["name"]) == (True, "count")
    with Client(server.address) as client:
        assert client.queue.get("back").item.uid == added["item"]["item_uid"]
    assert sender.send_message(method="queue_clear")["success"]
    assert sender.send_message(method="nonsense")["success"] is False


def test_threads_share_a_sender_and_each_gets_its_own_answer(sender: Any) -> None:
    answers: dict[str, Any] = {}

    def ask(method: str) -> None:
        for _ in range(20):
            answers.setdefault(method, []).append(sender.send_message(method=method))

    threads = [threading.Thread(target=ask, args=(method,)) for method in ("status", "queue_get", "lock_info")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert all("manager_state" in answer for answer in answers["status"])
    assert all("running_item" in answer for answer in answers["queue_get"])
    assert all("lock_info_uid" in answer for answer in answers["lock_info"])
    assert [len(found) for found in answers.values()] == [20, 20, 20]


def test_a_callback_gets_the_answer_or_what_went_wrong(sender: Any, nobody: str) -> None:
    def ask(one: Any) -> tuple[Any, str]:
        told: list[Any] = []
        done = threading.Event()
        assert one.send_message(method="status", cb=lambda *message: (told.append(message), done.set())) is None
        assert done.wait(30)
        answer, problem = told[0]
        return answer, problem

    answer, problem = ask(sender)
    assert (answer["manager_state"], problem) == ("idle", "")
    silent = ZMQCommSendThreads(zmq_server_address=nobody, timeout_recv=50)
    answer, problem = ask(silent)
    assert (answer, "timeout occurred" in problem) == ({}, True)
    silent.close()


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_messages_have_either_encoding(server: Stack, encoding: str) -> None:
    bridge = BridgeProcess(server.address, "--zmq-encoding", encoding)
    try:
        answer, problem = zmq_single_request("queue_get", zmq_server_address=bridge.address, encoding=encoding)
        assert (answer and answer["success"], problem) == (True, "")
    finally:
        bridge.close()


def test_no_answer_is_an_error_or_an_object_that_says_so_and_the_next_request_is_a_new_one(
    nobody: str, bridge: BridgeProcess
) -> None:
    sender = ZMQCommSendThreads(zmq_server_address=nobody, timeout_recv=50)
    with pytest.raises(CommTimeoutError, match="ZMQ communication error: timeout occurred"):
        sender.send_message(method="status")
    answer = sender.send_message(method="status", raise_exceptions=False)
    assert (answer["success"], "timeout occurred" in answer["msg"]) == (False, True)
    sender.close()
    sender.close()
    with pytest.raises(CommTimeoutError, match="closed"):
        sender.send_message(method="status")
    assert zmq_single_request("status", timeout=50, zmq_server_address=nobody)[0] is None
    impatient = ZMQCommSendThreads(zmq_server_address=bridge.address, timeout_recv=0)
    with pytest.raises(CommTimeoutError):
        impatient.send_message(method="queue_get")
    assert "manager_state" in impatient.send_message(method="status", timeout=20_000)
    impatient.close()


async def test_requests_with_asyncio(bridge: BridgeProcess, nobody: str) -> None:
    sender = ZMQCommSendAsync(zmq_server_address=bridge.address, timeout_recv=20_000)
    assert sender.get_loop() is asyncio.get_running_loop()
    status, queue = await asyncio.gather(
        sender.send_message(method="status"), sender.send_message(method="queue_get", params={})
    )
    assert (status["manager_state"], queue["success"]) == ("idle", True)
    cancelled = asyncio.create_task(sender.send_message(method="queue_get"))
    await asyncio.wait({cancelled}, timeout=0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert "manager_state" in await bounded(sender.send_message(method="status"))
    sender.close()
    silent = ZMQCommSendAsync(zmq_server_address=nobody, timeout_recv=50)
    with pytest.raises(CommTimeoutError):
        await silent.send_message(method="status")
    assert (await silent.send_message(method="status", raise_exceptions=False))["success"] is False
    silent.close()


def test_an_encrypted_socket_is_reached_with_the_servers_key(server: Stack) -> None:
    public, private = generate_zmq_keys()
    assert generate_zmq_public_key(private) == public
    bridge = BridgeProcess(server.address, environment={"QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER": private})
    try:
        answer, problem = zmq_single_request(
            "status", zmq_server_address=bridge.address, server_public_key=public, timeout=20_000
        )
        assert (answer and answer["manager_state"], problem) == ("idle", "")
    finally:
        bridge.close()


@pytest.mark.parametrize("wrong", ["x", "é" * 40, 5, None, " " * 40])
def test_what_is_no_key_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="40 characters"):
        validate_zmq_key(wrong)
    if wrong is not None:
        with pytest.raises(ValueError, match="40 characters"):
            ZMQCommSendThreads(server_public_key=wrong)


@pytest.mark.parametrize("make", [ZMQCommSendThreads, ReceiveConsoleOutput])
def test_an_unknown_encoding_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="json, msgpack"):
        make(encoding="morse")


def test_what_is_published_is_received(server: Stack, bridge: BridgeProcess) -> None:
    info = ReceiveSystemInfo(zmq_subscribe_addr=bridge.info_address, timeout=20_000)
    status = info.recv()
    assert status["msg"]["status"]["manager_state"]
    info.unsubscribe()
    console = ReceiveConsoleOutput(zmq_subscribe_addr=bridge.info_address)
    with pytest.raises(TimeoutError):
        console.recv(timeout=50)
    with Client(server.address) as client:
        client.environment.open()
    assert isinstance(console.recv(timeout=20_000)["msg"], str)
    with Client(server.address) as client:
        client.environment.close()


async def test_what_is_published_is_received_with_asyncio(bridge: BridgeProcess) -> None:
    info = ReceiveSystemInfoAsync(zmq_subscribe_addr=bridge.info_address)
    assert (await info.recv(timeout=20_000))["time"] > 0
    came = asyncio.Event()
    told: list[Any] = []

    async def tell(message: Any) -> None:
        told.append(message)
        came.set()

    for callback in (tell, lambda message: (told.append(message), came.set())):
        came.clear()
        info.set_callback(callback)
        info.start()
        await bounded(came.wait())
        info.stop()
    assert all("status" in message["msg"] for message in told)
    silent = ReceiveConsoleOutputAsync(zmq_subscribe_addr=bridge.info_address, zmq_topic="nothing of the kind")
    with pytest.raises(asyncio.TimeoutError if sys.version_info < (3, 11) else TimeoutError):
        await silent.recv(timeout=50)


@pytest.mark.parametrize("as_module", [False, True])
def test_a_program_runs_unchanged_with_the_stand_in(bridge: BridgeProcess, tmp_path: Path, as_module: bool) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "beside.py").write_text("VALUE = 7\n")
    words = ["-m", "program"] if as_module else [str(tmp_path / "program.py")]
    ran = subprocess.run(
        [sys.executable, "-m", "queueserver_compat", *words, bridge.address],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.stdout, ran.returncode) == ("idle False __main__ 7\n", 0), ran.stderr


def test_without_a_program_its_use_is_shown_and_nothing_is_offered_unasked() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "queueserver_compat"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (shown.returncode, "usage" in shown.stderr) == (2, True)
    code = "import queueserver_compat, importlib.util; print(importlib.util.find_spec('bluesky_queueserver'))"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert asked.stdout == "None\n"
