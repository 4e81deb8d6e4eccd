"""What is observed of one plan while it runs: the states of the RunEngine, and how its runs were closed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from queueserver_environment.hooks.engine_hooks import hooks_of
from queueserver_environment.outcome.refusals import Refusal, refusal_in
from queueserver_environment.outcome.tidying import TidyingLog
from queueserver_environment.plans.failures import error_text

SUCCESS: Final = "success"
_MAX_NOTICES: Final = 5


@dataclass(frozen=True)
class ClosedRun:
    """A run whose stop document reports no success."""

    uid: str
    exit_status: str
    reason: str


class PlanWatch:
    """Watches one plan from before its first message until `end`."""

    def __init__(self, engine: Any) -> None:
        self._hooks = hooks = hooks_of(engine)
        #: Names of the states that the RunEngine entered.
        self.states: set[str] = set()
        #: How often it was paused.
        self.pauses = 0
        #: Runs without a stop document.
        self.open_runs: dict[str, None] = {}
        #: The first run that was closed without success.
        self.failed_run: ClosedRun | None = None
        #: How many there are.
        self.failed_runs = 0
        #: What ended the plan in the RunEngine: StopIteration if everything returned. None if nothing was seen.
        self.ended_by: BaseException | None = None
        #: The device that ended it because it could not be paused.
        self.refusal: Refusal | None = None
        #: Failures that the plan did not see: of receivers of stop documents, of devices that were to be stopped.
        self.notices: list[str] = []
        hooks.failures += (self._receiver_failed,)
        hooks.states += (self._entered,)
        hooks.documents += (self._emitted,)
        hooks.ends += (self._ended,)
        self._tidying = TidyingLog(engine, self._note)

    def end(self) -> None:
        """Stop watching."""
        self._tidying.end()
        for name in ("states", "documents", "failures", "ends"):
            kept = tuple(f for f in getattr(self._hooks, name) if getattr(f, "__self__", None) is not self)
            setattr(self._hooks, name, kept)

    def _entered(self, new: Any, _old: Any) -> None:
        self.states.add(str(new))
        self.pauses += str(new) == "paused"

    def _emitted(self, kind: str, document: Mapping[str, Any]) -> None:
        if kind == "start":
            self.open_runs[str(document.get("uid"))] = None
        elif kind == "stop":
            uid, status = str(document.get("run_start")), str(document.get("exit_status"))
            self.open_runs.pop(uid, None)
            if status != SUCCESS:
                self.failed_runs += 1
                self.failed_run = self.failed_run or ClosedRun(uid, status, str(document.get("reason") or ""))

    def _receiver_failed(self, kind: str, document: Mapping[str, Any], error: BaseException) -> None:
        if kind == "stop":
            run = str(document.get("run_start"))[:8]
            self._note(f"A subscription of RE failed at the stop document of run {run}: {error_text(error)}")

    def _note(self, notice: str) -> None:
        if len(self.notices) < _MAX_NOTICES and notice not in self.notices:
            self.notices.append(notice)

    def _ended(self, error: BaseException) -> None:
        self.ended_by = error
        self.refusal = refusal_in(error)
