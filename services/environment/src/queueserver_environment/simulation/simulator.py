"""Simulations: requests for what a plan would do, each answered by its own threads, also while plans run.

Guarantees: no device is commanded; the thread that reads the channel does not wait; every request is
answered when its time is over, also if the plan never sends another message, and then with the findings so far.
Does not guarantee that the thread of a plan that hangs ends, see `dry_run`.
"""

import threading
from typing import Any, Final

from queueserver_environment.messages.frames import FromEnvironment, SimulationAnswer, SimulationQuery, TaskPrinted
from queueserver_environment.messages.items import Item
from queueserver_environment.messages.simulation import SimulatePlanRequest, Simulation, SimulationProblem
from queueserver_environment.messages.states import ConsoleStream
from queueserver_environment.plans.access import read_access
from queueserver_environment.plans.failures import error_text
from queueserver_environment.plans.plan_call import PlanCallError, plan_call
from queueserver_environment.plans.run_engine import Send
from queueserver_environment.plans.run_engine_holder import RunEngineHolder
from queueserver_environment.simulation.dry_run import DryRun
from queueserver_environment.simulation.findings import Findings

SECONDS: Final = 10.0
"""How long a simulation may take."""
MAX_MESSAGES: Final = 100_000
MAX_PLANS: Final = 16
"""Plans that may be simulated at the same time, including those that hang."""


class Simulator:
    """Simulates plans of one namespace."""

    def __init__(self, namespace: dict[str, Any], holder: RunEngineHolder, send: Send) -> None:
        self._namespace = namespace
        self._holder = holder
        self._send = send
        self._places = threading.Semaphore(MAX_PLANS)

    def ask(self, query: SimulationQuery) -> None:
        """Answer a request. Returns at once."""
        try:
            threading.Thread(target=self._answer, args=(query,), name="simulation", daemon=True).start()
        except RuntimeError as error:
            self._tell_answer(query, _without_thread(error))

    def _answer(self, query: SimulationQuery) -> None:
        try:
            simulation = self._simulate(query.request or SimulatePlanRequest())
        except BaseException as error:  # noqa: BLE001 - whatever user code raises when it is looked at: there is an answer
            simulation = _only(f"The simulation itself failed ({type(error).__name__}: {error_text(error)}).")
        self._tell_answer(query, simulation)

    def _tell_answer(self, query: SimulationQuery, simulation: Simulation) -> None:
        self._send(FromEnvironment(simulation=SimulationAnswer(number=query.number, simulation=simulation)))

    def _simulate(self, request: SimulatePlanRequest) -> Simulation:
        access, item = read_access(request.access), request.item or Item()
        try:
            make_plan = plan_call(self._namespace, item, access)
        except PlanCallError as error:
            return _only(f"Plan {item.name!r} would not be started: {error}")
        if not self._places.acquire(blocking=False):
            return _only(f"{MAX_PLANS} plans that were simulated before still hang: close the environment and open it.")
        limit = min(request.message_limit, MAX_MESSAGES) if request.message_limit > 0 else MAX_MESSAGES
        findings = Findings()
        dry_run = DryRun(make_plan, self._namespace, self._holder.engine, findings, limit, self._tell)
        try:
            dry_run.start(self._places.release)
        except RuntimeError as error:
            return _without_thread(error)
        truncated = not dry_run.wait(SECONDS)
        return findings.result(truncated=truncated)

    def _tell(self, stream: ConsoleStream, text: str) -> None:
        self._send(FromEnvironment(task_printed=TaskPrinted(stream=stream, text=text)))


def _without_thread(error: RuntimeError) -> Simulation:
    return _only(f"No thread could be started for the simulation ({error}).")


def _only(problem: str) -> Simulation:
    return Simulation(problems=[SimulationProblem(message=problem)])
