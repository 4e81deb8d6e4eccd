"""A stand-in for the environment process: it speaks the channel and misbehaves as it is told.

The startup script holds one word, what to do while opening; the name of a plan or a function says what to do with it.
It proves what the supervisor does whatever a child does, which the real environment can't be made to do.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from queueserver.common.v1 import console_pb2, document_pb2, environment_pb2, inventory_pb2, item_pb2
from queueserver.common.v1.task_pb2 import TaskResult
from queueserver.common.v1.value_pb2 import DataValue
from queueserver.worker.v1 import environment_channel_pb2 as pb
from queueserver.worker.v1.worker_service_pb2 import TaskCommand

# It is run as a script.
sys.path.insert(0, str(Path(__file__).parents[4]))

from tests.harness import frames
from tests.harness.frames import LENGTH

BIG_OUTPUT_LINES = 100_000


class Child:
    """The channel and what is done through it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rb")
        self._sending = threading.Lock()

    def send(self, frame: pb.FromEnvironment) -> None:
        self.send_raw(frames.frame(frame))

    def send_bytes(self, payload: bytes) -> None:
        self.send_raw(frames.with_length(payload))

    def send_raw(self, data: bytes) -> None:
        with self._sending:
            self._connection.sendall(data)

    def receive(self) -> pb.ToEnvironment:
        head = self._stream.read(LENGTH.size)
        if len(head) < LENGTH.size:
            os._exit(70)
        return frames.command(self._stream.read(LENGTH.unpack(head)[0]))

    def close_channel(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)

    def beat(self) -> None:
        never = threading.Event()
        while not never.wait(0.5):
            self.send(pb.FromEnvironment(heartbeat=pb.EnvironmentHeartbeat()))

    def document(self, run_uid: str, document: document_pb2.RunDocument) -> None:
        self.send(pb.FromEnvironment(document=pb.RunDocumentEmitted(run_uid=run_uid, document=document)))

    def open_run(self, scan_id: int) -> str:
        uid = str(uuid.uuid4())
        self.document(uid, document_pb2.RunDocument(start=document_pb2.RunStart(uid=uid, time=1.0, scan_id=scan_id)))
        return uid

    def close_run(self, uid: str, exit_status: str = "success") -> None:
        stop = document_pb2.RunStop(uid=str(uuid.uuid4()), run_start_uid=uid, exit_status=exit_status)
        self.document(uid, document_pb2.RunDocument(stop=stop))

    def finish_task(self, task_uid: str, **result: Any) -> None:
        self.send(pb.FromEnvironment(task_finished=pb.TaskFinished(task_uid=task_uid, result=TaskResult(**result))))

    def finish(self, execution_id: str, status: item_pb2.ExitStatus.ValueType, message: str = "") -> None:
        result = item_pb2.ItemResult(exit_status=status, message=message)
        result.runs.add(run_uid="a lie")
        self.send(pb.FromEnvironment(finished=pb.PlanFinished(execution_id=execution_id, result=result)))


def opening(child: Child, word: str) -> None:
    state = environment_pb2.RUN_ENGINE_STATE_IDLE
    child.send(pb.FromEnvironment(progress=pb.LoadProgress(text="loading 10-devices.py")))
    if word == "fail":
        failure = environment_pb2.EnvironmentFailure(
            message="No module named 'spam'.", exception_type="ModuleNotFoundError", file="10-devices.py", line=3
        )
        child.send(pb.FromEnvironment(failed=failure))
        sys.exit(1)
    if word == "exit":
        sys.stderr.write("what a pity\n")
        sys.exit(3)
    if word == "ignore_exit":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if word == "hang":
        threading.Event().wait()
    if word == "no_run_engine":
        state = environment_pb2.RUN_ENGINE_STATE_UNSPECIFIED
    description = "x" * 40_000_000 if word == "too_many_plans" else ""
    inventory = inventory_pb2.Inventory(plans=[inventory_pb2.PlanDescription(name="count", description=description)])
    child.send(pb.FromEnvironment(ready=pb.EnvironmentReady(inventory=inventory, run_engine_state=state)))


def hang(child: Child) -> None:
    del child
    raise PlanGoesOnError


def die(child: Child) -> None:
    child.open_run(8)
    os.kill(os.getpid(), signal.SIGKILL)


def print_and_die(child: Child) -> None:
    del child
    os.write(1, b"last words\n")
    os._exit(5)


def spin(child: Child) -> None:
    del child
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
    while True:
        pass


def close_channel(child: Child) -> None:
    child.close_channel()
    threading.Event().wait()


def print_much(child: Child) -> None:
    del child
    for number in range(BIG_OUTPUT_LINES):
        os.write(1, b"%099d\n" % number)


def print_bad_bytes(child: Child) -> None:
    del child
    os.write(1, b"caf\xc3")
    os.write(1, b"\xa9 \xff end\n")


def leave_grandchild(child: Child) -> None:
    del child
    if os.fork() == 0:
        threading.Event().wait(20)
    os._exit(0)


PLANS: dict[str, Callable[[Child], None]] = {
    "count": lambda _: None,
    "hang": hang,
    # It does what background tasks say, see `obey`.
    "told": lambda child: say_state(child, environment_pb2.RUN_ENGINE_STATE_RUNNING),
    "die": die,
    "print_and_die": print_and_die,
    "spin": spin,
    "garbage": lambda child: child.send_bytes(b"\xff\xff\xff\xff"),
    "too_long": lambda child: child.send_raw(LENGTH.pack(0x7FFFFFFF)),
    "close_channel": close_channel,
    "print_much": print_much,
    "print_bad_bytes": print_bad_bytes,
    "leave_grandchild": leave_grandchild,
}


#: States of the RunEngine that a background task of this name lets it tell.
STATES = {
    "running": environment_pb2.RUN_ENGINE_STATE_RUNNING,
    "paused": environment_pb2.RUN_ENGINE_STATE_PAUSED,
    "idle": environment_pb2.RUN_ENGINE_STATE_IDLE,
}


class PlanGoesOnError(Exception):
    """The plan has not ended when its function returns."""


def run_plan(child: Child, command: pb.RunPlanCommand) -> None:
    started = pb.PlanStarted(execution_id=command.execution_id, start_time=Timestamp(seconds=1_700_000_000))
    child.send(pb.FromEnvironment(started=started))
    uid = child.open_run(7)
    if command.item.name == "die":
        child.close_run(uid, "fail")
    try:
        PLANS[command.item.name](child)
    except PlanGoesOnError:
        return
    if command.item.name == "told":
        return
    child.close_run(uid)
    child.finish(command.execution_id, item_pb2.EXIT_STATUS_COMPLETED)
    child.finish(command.execution_id, item_pb2.EXIT_STATUS_FAILED, "a second outcome")


def say_state(child: Child, state: environment_pb2.RunEngineState.ValueType) -> None:
    child.send(pb.FromEnvironment(run_engine=pb.RunEngineChanged(state=state)))


def obey(child: Child, command: TaskCommand, execution_id: str, heard: list[str]) -> bool:
    """Do with the plan what a background task says, or tell which requests for it were heard."""
    name = command.function.name
    if name in STATES:
        say_state(child, STATES[name])
    elif name == "finish":
        say_state(child, environment_pb2.RUN_ENGINE_STATE_IDLE)
        child.finish(execution_id, item_pb2.EXIT_STATUS_COMPLETED)
    elif name != "heard":
        return False
    child.finish_task(command.task_uid, success=True, return_value=DataValue(text="\n".join(heard)))
    heard.clear()
    return True


def run_task(child: Child, command: TaskCommand) -> None:
    uid, name = command.task_uid, command.function.name
    if name == "die":
        os.write(1, b"last words\n")
        os.kill(os.getpid(), signal.SIGKILL)
    elif name == "print":
        for text in ("x" * 3_000, "\nlast line\n"):
            printed = pb.TaskPrinted(task_uid=uid, stream=console_pb2.CONSOLE_STREAM_STDOUT, text=text)
            child.send(pb.FromEnvironment(task_printed=printed))
        os.write(1, b"of the process\n")
        child.finish_task(uid, success=True)
    elif name == "lie":
        child.finish_task("of nobody", success=True)
        child.finish_task(uid, return_value=DataValue(text="and yet"), traceback="t" * 100_000, console_excerpt="a lie")
        child.finish_task(uid, success=True)
    elif name == "huge":
        child.finish_task(uid, success=True, return_value=DataValue(text="x" * 3_000_000))
    elif name == "update":
        inventory = inventory_pb2.Inventory(plans=[inventory_pb2.PlanDescription(name="new")])
        child.send(pb.FromEnvironment(updated=pb.EnvironmentReady(inventory=inventory)))
        child.finish_task(uid, success=True)
    elif name != "hang":
        child.finish_task(uid, success=True, return_value=DataValue(text=name))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel-fd", type=int, required=True)
    parser.add_argument("--list-command")
    parser.add_argument("--startup-script", type=Path, required=True)
    given = parser.parse_args()
    word = given.startup_script.read_text().strip()
    child = Child(socket.socket(fileno=given.channel_fd))
    child.send_raw(frames.hello())
    threading.Thread(target=child.beat, daemon=True).start()
    opening(child, word)
    execution_id, heard = "", list[str]()
    while True:
        frame = child.receive()
        if frame.HasField("run_plan"):
            execution_id = frame.run_plan.execution_id
            run_plan(child, frame.run_plan)
        elif frame.HasField("control"):
            heard.append(f"{frame.control.execution_id} {frame.control.action}")
        elif frame.HasField("run_task"):
            if not obey(child, frame.run_task, execution_id, heard):
                run_task(child, frame.run_task)
        elif frame.HasField("abort") and execution_id and word != "ignore_abort":
            child.finish(execution_id, item_pb2.EXIT_STATUS_ABORTED, frame.abort.note)
        elif frame.HasField("exit") and word != "ignore_exit":
            os._exit(0)


if __name__ == "__main__":
    main()
