"""The two servers side by side: each call is made on both, and the answers are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.zmq_bridge.differential.comparison import Mismatch, Partners, mismatches
from tests.zmq_bridge.differential.side import Answer, Side

#: Calls by which the runner sees what others have caused.
LOOKING: Final = {"status", "queue_get", "history_get", "task_status", "task_result"}


@dataclass(frozen=True)
class Call:
    """A call, with the uids of the real server, and how it was answered there and here."""

    method: str
    params: dict[str, Any]
    real: Answer
    ours: Answer
    #: The status of the real server before the call.
    before: Answer
    #: The method of the last call that may have changed something; of this one, if it may have.
    cause: str = ""
    #: That call named the running item.
    is_about_running: bool = False
    #: An environment was destroyed since both began in the same state.
    was_destroyed: bool = False
    #: Lists were read from a file, and not from an environment since.
    lists_were_read: bool = False

    @property
    def opened(self) -> bool:
        """It opened an environment."""
        return self.method == "environment_open" and self.real.get("success") is True

    def __str__(self) -> str:
        return f"{self.method}({', '.join(f'{name}={value!r:.300}' for name, value in self.params.items())})"


class Difference(Protocol):
    """An entry of the table of differences."""

    @property
    def name(self) -> str:
        """In the table."""

    @property
    def diverges(self) -> bool:
        """What follows may differ because of it."""


@dataclass
class Pair:
    """Both servers. Differences that nothing explains are kept."""

    real: Side
    ours: Side
    explained: Callable[[Call, Mismatch], Difference | None]
    partners: Partners = field(default_factory=Partners)
    #: What differs and is not in the table.
    faults: list[str] = field(default_factory=list)
    #: How often which difference of the table was met.
    met: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    status: Answer = field(default_factory=dict)
    #: Tasks in the background that wait at the gate.
    background: int = 0
    #: That of the lock, sent with what changes anything, if there is one.
    key: dict[str, str] = field(default_factory=dict)
    #: The last call that may have changed something.
    cause: Call | None = None
    was_destroyed: bool = False
    lists_were_read: bool = False
    #: They are no longer those of the file.
    permissions_changed: bool = False
    #: It differed as the table says, so that what it caused may differ too.
    excused: bool = False
    #: Something but a message differed, so that what follows may differ too, until uids are forgotten.
    diverged: bool = False

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both."""
        return self.real, self.ours

    def ask(self, method: str, /, **params: Any) -> Answer:
        """Make a call on both and compare the answers; returns the real server's."""
        return self.call(method, params).real

    def call(self, method: str, params: dict[str, Any]) -> Call:
        """Make a call on both and compare the answers."""
        self.calls += 1
        cause = method if method not in LOOKING or self.cause is None else self.cause.method
        self.real.put(method, params)
        self.ours.put(method, self.partners.for_ours(params))
        self.was_destroyed = self.was_destroyed or method == "environment_destroy"
        if cause != "environment_open" and self.cause is not None and self.cause.opened:
            self.lists_were_read = False
        about_running = self._names_running(method, params)
        answers = self.real.take(), self.ours.take()
        call = Call(
            method, params, *answers, self.status, cause, about_running, self.was_destroyed, self.lists_were_read
        )
        if method == "permissions_set" and call.real.get("success"):
            self.permissions_changed = True
        if method == "permissions_reload" and params.get("restore_plans_devices"):
            self.lists_were_read = True
        if method not in LOOKING:
            self.cause, self.excused = call, False
        for mismatch in list(mismatches(call.real, call.ours, self.partners)):
            self._judge(call, mismatch)
        if method == "status":
            self.status = call.real
            # The runs of another plan are told then.
            self.was_destroyed = self.was_destroyed and call.real["running_item_uid"] is None
        return call

    def _names_running(self, method: str, params: dict[str, Any]) -> bool:
        """Whether the call, or the one whose effect it looks at, is about the running item."""
        if method in LOOKING and self.cause is not None:
            params = self.cause.params
        running = self.status.get("running_item_uid")
        uids = params.get("uids")
        return running is not None and isinstance(uids, list) and running in uids

    def forget(self) -> None:
        """Begin anew: uids that were seen before mean nothing any more."""
        self.partners = Partners()
        self.diverged = False

    def _judge(self, call: Call, mismatch: Mismatch) -> None:
        entry = self.explained(call, mismatch)
        cause = self.cause if call.method in LOOKING else None
        if entry is not None:
            self.met[entry.name] = self.met.get(entry.name, 0) + 1
            self.excused = self.excused or entry.diverges
            self.diverged = self.diverged or entry.diverges
        elif not (cause and self.excused):
            state = call.before.get("manager_state", "?")
            self.faults.append(f"{call}{f' after {cause}' if cause else ''} [{state}]: {mismatch}")
            self.diverged = self.diverged or mismatch.path[-1:] != ("msg",)
