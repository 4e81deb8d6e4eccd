"""Makes generated calls that go from state to state, and lets what waits at a gate go on."""

from __future__ import annotations

from collections.abc import Iterable

from tests.zmq_bridge.differential.grammar import PASS_GATE, PASS_TASK_GATE
from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.queue_calls import Written
from tests.zmq_bridge.differential.references import Task
from tests.zmq_bridge.differential.runner import Runner
from tests.zmq_bridge.differential.stories import end_task, look, pass_gate


class StepRunner:
    """A step is a call, or lets the plan or the task that waits go on."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._runner = Runner(pair)

    def run(self, steps: Iterable[Written]) -> None:
        """Take the steps, and compare everything after each of them."""
        for method, params in steps:
            self._take(method, params)
            look(self._pair)

    def _take(self, method: str, params: dict[str, object]) -> None:
        status = self._pair.ask("status")
        state = status["manager_state"]
        if method == PASS_GATE:
            if state == "executing_queue":
                pass_gate(self._pair)
        elif method == PASS_TASK_GATE:
            if state == "executing_task":
                end_task(self._pair, self._runner.uid_of(Task()))
        else:
            self._runner.make((method, params))
