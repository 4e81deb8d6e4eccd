"""A real environment process for tests, driven through its socket as the supervisor drives it."""

import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from queueserver.common.v1.environment_pb2 import EnvironmentFailure, RunEngineState
from queueserver.common.v1.item_pb2 import ItemResult
from queueserver.common.v1.simulation_pb2 import Simulation
from queueserver.common.v1.task_pb2 import TaskResult
from queueserver.worker.v1 import worker_service_pb2 as pb
from queueserver.worker.v1.environment_channel_pb2 import (
    AbortCommand,
    ControlCommand,
    EnvironmentReady,
    ExitCommand,
    FromEnvironment,
    MetadataQuery,
    SimulationQuery,
    ToEnvironment,
)
from queueserver_process.interpreter import VARIABLE, find_interpreter
from queueserver_process.variables import value_of
from queueserver_worker.environment_command import environment_command
from queueserver_worker.supervisor.frames.decoding import decode
from queueserver_worker.supervisor.frames.encoding import encode

from tests.harness.services import REPOSITORY

MakeFolder = Callable[..., Path]
DEADLINE = 60.0
#: With $QSERVER_ENVIRONMENT_PYTHON the same tests run on another interpreter.
OTHER_PYTHON = find_interpreter(value_of(VARIABLE)) if value_of(VARIABLE) else None
EXAMPLES = REPOSITORY / "examples" / "startup"


class EnvironmentChild:
    """The process, everything it sent and everything it printed."""

    def __init__(self, process: "subprocess.Popen[bytes]", connection: socket.socket) -> None:
        self.process = process
        self.connection = connection
        self.frames: list[FromEnvironment] = []
        self.stdout = ""
        self.stderr = ""
        self.reading = threading.Event()
        self.reading.set()
        self._queries = 0
        self._ended = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._read, self._read_stdout, self._read_stderr)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, is_wanted: Callable[[FromEnvironment], object], *, since: int = 0) -> FromEnvironment:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(map(is_wanted, self.frames[since:])), DEADLINE)
            for frame in self.frames[since:]:
                if is_wanted(frame):
                    return frame
        raise AssertionError(f"the frame did not come; exit code: {self._exit_code()}\n{self.stdout}\n{self.stderr}")

    def _exit_code(self) -> int | None:
        return self.wait() if self._ended else None

    def wait_for_output(self, text: str, *, times: int = 1) -> None:
        with self._changed:
            found = self._changed.wait_for(lambda: (self.stdout + self.stderr).count(text) >= times, DEADLINE)
        assert found, f"{text!r} was not printed; stdout: {self.stdout}\nstderr: {self.stderr}"

    def count_printed(self, text: str) -> int:
        """Count a text in all that was printed on stdout until now, which may be read after a result."""
        self._queries += 1
        marker = f"all until {self._queries}"
        # What is printed in the background does not come here.
        script = f"import os, sys\nsys.__stdout__.flush()\nos.write(1, b'{marker}\\n')"
        assert self.task(marker, in_background=True, script={"text": script, "update_lists": False}).success
        self.wait_for_output(f"{marker}\n")
        return self.stdout.count(text)

    def ready(self) -> EnvironmentReady:
        return self.wait_for(lambda frame: frame.HasField("ready")).ready

    def failure(self) -> EnvironmentFailure:
        return self.wait_for(lambda frame: frame.HasField("failed")).failed

    def send(self, command: ToEnvironment) -> None:
        payload = encode(command)
        self.connection.sendall(struct.pack(">I", len(payload)) + payload)

    def submit(
        self, execution_id: str, name: str, *args: Any, meta: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        command = ToEnvironment()
        command.run_plan.execution_id = execution_id
        item = {"name": name, "args": list(args), "kwargs": kwargs, "meta": meta or {}}
        json_format.ParseDict(item, command.run_plan.item)
        self.send(command)

    def run(self, name: str, *args: Any, meta: dict[str, Any] | None = None, **kwargs: Any) -> ItemResult:
        """Run a plan to its end."""
        since = len(self.frames)
        self.submit("execution", name, *args, meta=meta, **kwargs)
        return self.wait_for(lambda frame: frame.HasField("finished"), since=since).finished.result

    def abort(self, reason: str) -> None:
        self.send(ToEnvironment(abort=AbortCommand(note=reason)))

    def control(self, action: "pb.RunEngineAction.ValueType", note: str = "") -> None:
        self.send(ToEnvironment(control=ControlCommand(action=action, note=note)))

    def metadata(self) -> Struct:
        """Ask for the RunEngine's metadata and wait for the answer: earlier commands have been heard then."""
        self._queries += 1
        number = self._queries
        self.send(ToEnvironment(metadata=MetadataQuery(number=number)))
        return self.wait_for(lambda frame: frame.metadata.number == number).metadata.metadata

    def wait_for_state(self, state: "RunEngineState.ValueType", *, since: int) -> None:
        self.wait_for(lambda frame: frame.HasField("run_engine") and frame.run_engine.state == state, since=since)

    def result(self, *, since: int) -> ItemResult:
        """Wait for the end of the plan."""
        return self.wait_for(lambda frame: frame.HasField("finished"), since=since).finished.result

    def submit_task(self, task_uid: str, *, in_background: bool = False, **work: Any) -> None:
        command = {"task_uid": task_uid, "run_in_background": in_background, **work}
        self.send(ToEnvironment(run_task=json_format.ParseDict(command, pb.TaskCommand())))

    def task(self, task_uid: str, *, in_background: bool = False, **work: Any) -> TaskResult:
        """Execute a task to its end; `work` is a field of TaskCommand."""
        self.submit_task(task_uid, in_background=in_background, **work)
        return self.task_result(task_uid)

    def task_result(self, task_uid: str) -> TaskResult:
        """Wait for the end of a task."""
        return self.wait_for(lambda frame: frame.task_finished.task_uid == task_uid).task_finished.result

    def simulate(self, name: str, *args: Any, limit: int = 0, **kwargs: Any) -> Simulation:
        """Ask what a plan would do, and wait for the answer."""
        self._queries += 1
        number = self._queries
        request = {"item": {"name": name, "args": list(args), "kwargs": kwargs}, "message_limit": limit}
        query = SimulationQuery(number=number, request=json_format.ParseDict(request, pb.SimulatePlanRequest()))
        self.send(ToEnvironment(simulation=query))
        return self.wait_for(lambda frame: frame.simulation.number == number).simulation.simulation

    def wait_for_told(self, text: str) -> None:
        """Wait until a simulated plan has printed something."""

        def is_told(_: FromEnvironment) -> bool:
            told = (frame.task_printed for frame in self.frames if frame.HasField("task_printed"))
            return text in "".join(piece.text for piece in told if not piece.task_uid)

        self.wait_for(is_told)

    def exit(self) -> int:
        self.send(ToEnvironment(exit=ExitCommand()))
        return self.wait()

    def wait(self) -> int:
        """Wait for the end of the process; return its exit code."""
        code = self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        return code

    def documents(self, kind: str) -> list[Any]:
        found = [frame.document.document for frame in self.frames if frame.HasField("document")]
        return [getattr(document, kind) for document in found if document.HasField(kind)]  # type: ignore[arg-type] # kind is a field's name

    def _read(self) -> None:
        with self.connection.makefile("rb") as stream:
            while self.reading.wait(DEADLINE) and len(header := stream.read(4)) == 4:
                frame = decode(stream.read(struct.unpack(">I", header)[0]))
                with self._changed:
                    self.frames.append(frame)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_stdout(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.stdout += line.decode()
                self._changed.notify_all()

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.stderr += line.decode()
                self._changed.notify_all()


@contextmanager
def environment_child(*arguments: str | Path) -> Iterator[EnvironmentChild]:
    """Start an environment; kill what is left of it at the end."""
    ours, theirs = socket.socketpair()
    command = environment_command(OTHER_PYTHON)
    process = subprocess.Popen(
        [*command.words, "--channel-fd", str(theirs.fileno()), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=[theirs.fileno()],
        start_new_session=True,
        env=command.variables,
    )
    theirs.close()
    child = EnvironmentChild(process, ours)
    try:
        yield child
    finally:
        process.kill()
        child.wait()
        ours.close()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
