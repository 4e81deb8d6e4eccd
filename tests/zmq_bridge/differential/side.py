"""One of the two servers that are compared: a bare client of it, its gates, and a way to wait for its status."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import zmq

from tests.harness.gate import Gate

#: The names of the gates in startup code, in a directory that each server gets in its environment.
GATE: Final = "gate"
TASK_GATE: Final = "task_gate"
#: Generous bounds: the real server takes up to 10 s for some calls.
ANSWER_SECONDS: Final = 30.0
SETTLE_SECONDS: Final = 40.0

Answer = dict[str, Any]


class News:
    """Tells that something may have changed: whoever waits looks again then."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def tell(self) -> None:
        """Something happened."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait_until(self, met: Callable[[], bool], what: str) -> None:
        """Return when it is met. AssertionError if it is not in time."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            seen = self._count
            if met():
                return
            with self._changed:
                if not self._changed.wait_for(lambda seen=seen: self._count > seen, deadline - time.monotonic()):
                    raise AssertionError(f"not within {SETTLE_SECONDS:.0f} s: {what}")


class Side:
    """A server at the address of its control socket."""

    def __init__(self, name: str, address: str, gates: Path, news: News) -> None:
        self.name, self.address = name, address
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.REQ)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.connect(address)
        self._news = news
        self._gate = Gate(gates / GATE)
        self._task_gate = Gate(gates / TASK_GATE)

    def put(self, method: str, params: dict[str, Any]) -> None:
        """Send a request."""
        self._socket.send(json.dumps({"method": method, "params": params}).encode())

    def take(self) -> Answer:
        """The answer to the request that was sent last."""
        if not self._socket.poll(int(ANSWER_SECONDS * 1000)):
            raise AssertionError(f"{self.name} did not answer within {ANSWER_SECONDS:.0f} s")
        answer: Answer = json.loads(self._socket.recv())
        return answer

    def ask(self, method: str, /, **params: Any) -> Answer:
        """A request to this side alone."""
        self.put(method, params)
        return self.take()

    def status(self) -> Answer:
        """The status now."""
        return self.ask("status")

    def wait_until(self, met: Callable[[Answer], bool], what: str = "") -> None:
        """Wait until the status is as wanted."""
        last: Answer = {}

        def is_met() -> bool:
            last.update(self.status())
            return met(last)

        try:
            self._news.wait_until(is_met, f"{self.name}: {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the status is {last}") from None

    def open_gate(self) -> None:
        """Let the plan that waits in the environment go on."""
        self._gate.open()

    def open_task_gate(self) -> None:
        """Let a task that waits in the environment go on."""
        self._task_gate.open()

    def close_gates(self) -> None:
        """Let nothing pass any more that nobody waits for yet."""
        self._gate.shut()
        self._task_gate.shut()

    def close(self) -> None:
        """Disconnect."""
        self._gate.close()
        self._task_gate.close()
        self._context.destroy(linger=0)
