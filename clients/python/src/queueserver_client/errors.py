"""What can go wrong, as a tree of exceptions. Programs look at types and attributes, never at texts.

::

    QueueServerError
    ├── InvalidRequest              the request is wrong and would be wrong at any time
    │   ├── ItemInvalid             an item does not fit its plan
    │   │   └── PlanNotFound        a plan that there is not; also a NotFound
    │   ├── BatchRefused            .items says which items of a batch are wrong
    │   ├── PermissionsInvalid      .violations says which names and patterns are wrong
    │   ├── RequestIdReused
    │   └── ValueNotRepresentable   found before anything was sent; also a ValueError
    ├── NotFound
    │   ├── DeviceNotFound
    │   ├── ItemNotFound
    │   ├── LockRequestNotFound     no client asks for the lock
    │   ├── QuestionNotFound        that question is not asked, or not any more
    │   └── TaskNotFound
    ├── OutOfRange
    │   ├── PositionOutOfRange
    │   ├── PageTokenExpired
    │   └── ResumeTokenExpired
    ├── InvalidState                .state and .allowed_states
    │   ├── EnvironmentClosed
    │   ├── EnvironmentExists
    │   ├── EnvironmentOpenFailed   .failure has file, line, exception and traceback
    │   ├── FileInvalid
    │   ├── InventoryEmpty
    │   ├── ItemHeld
    │   ├── ItemRunning
    │   ├── ItemNotRunning          the item that a request is for has ended, or does not run yet
    │   ├── Locked                  .holder .note .since .lock
    │   ├── LockRefused             as Locked: the lock was requested and not granted
    │   ├── LockRequestWaits        as Locked
    │   ├── NotEmpty                the state of another server is to be imported into one that has something
    │   ├── NotLocked
    │   ├── QueueRunning            the queue was to be started, and runs: nothing is left to do
    │   ├── ReloadDisabled
    │   ├── RunEngineMissing
    │   ├── RunEngineBusy
    │   ├── RunEnginePanicked
    │   └── ScriptsDisabled
    ├── Conflict                    something changed meanwhile: read again, then repeat
    │   ├── AnswerNotKept           the request was carried out before: do not repeat
    │   └── RevisionMismatch        .queue_revision .history_revision .permissions_revision
    ├── LimitReached
    │   ├── QueueFull
    │   └── WatcherTooSlow
    ├── ServiceUnavailable          try again later
    │   └── NotOwner                .owner_address
    ├── DeadlineExceeded            no answer in time; also a TimeoutError
    ├── AccessDenied
    │   ├── FunctionNotAllowed
    │   └── LockKeyInvalid          as Locked: the key is not that of the lock
    ├── NotSupported                the server is older than this client
    ├── ServerFault                 a defect of the server
    ├── LockLost                    the lock that was held is no longer this client's: .lock
    ├── DocumentsLost               documents of an item's runs did not come: .runs
    └── TaskFailed                  a task ended without success: .result

An error that a newer server invented still becomes the nearest class of this tree, with its `reason`.
"""

# ruff: noqa: N818 - the names say what is wrong, as their users write them after "except"
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from queueserver_client.connection.refusal_details import Refusal, RefusedItem
from queueserver_client.models.status import EnvironmentFailure, ManagerState
from queueserver_client.violations import Violation, told_once


class QueueServerError(Exception):
    """Any refusal or failure of a call."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal

    @property
    def code(self) -> grpc.StatusCode:
        """Canonical gRPC code."""
        return self.refusal.code

    @property
    def reason(self) -> str:
        """Stable reason for programs, for example "PLAN_NOT_FOUND": a value of the contract's enum ErrorReason."""
        return self.refusal.reason

    @property
    def message(self) -> str:
        """One sentence for people."""
        return self.refusal.message

    @property
    def violations(self) -> Sequence[Violation]:
        """The wrong fields of the request."""
        return self.refusal.violations

    @property
    def metadata(self) -> Mapping[str, str]:
        """What else the server said, by key."""
        return self.refusal.metadata

    @property
    def retry_after(self) -> float | None:
        """Seconds after which a retry may help; None if it never does by itself."""
        return self.refusal.retry_after

    @property
    def details(self) -> Sequence[Any]:
        """Typed details as they came."""
        return self.refusal.details

    def __str__(self) -> str:
        remedy = self.metadata.get("remedy")
        return told_once(f"{self.message} {remedy}" if remedy else self.message, self.violations)


class InvalidRequest(QueueServerError):
    """The request is wrong and would be wrong at any time: correct it."""


class ItemInvalid(InvalidRequest):
    """An item does not fit its plan; `violations` says where."""


class BatchRefused(InvalidRequest):
    """Items of a batch are wrong; nothing of the batch was applied."""

    @property
    def items(self) -> Sequence[RefusedItem]:
        """The refused items."""
        return self.refusal.refused_items

    def __str__(self) -> str:
        # The server's sentence tells of the first item.
        rest = [
            told_once(f"item {item.index}: {item.message}", item.violations)
            for item in self.items
            if item.message.rstrip("?.…") not in self.message
        ]
        return "\n".join([super().__str__(), *(f"  {line}" for text in rest for line in text.splitlines())])


class RequestIdReused(InvalidRequest):
    """A request id was used again with a different request. This should never happen: each request has its own id."""


class PermissionsInvalid(InvalidRequest):
    """Permissions that can't be used; one violation for each wrong part. The old ones stay in force."""


class ValueNotRepresentable(InvalidRequest, ValueError):
    """A value can't be sent without changing it. Found before anything was sent."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)

    @classmethod
    def at(cls, path: str, problem: str) -> ValueNotRepresentable:
        """Error for the value at ``path``, for example "kwargs.num"."""
        return cls(
            Refusal(
                grpc.StatusCode.INVALID_ARGUMENT,
                "VALUE_NOT_REPRESENTABLE",
                f"{path} {problem}",
                violations=(Violation(path, problem),),
            )
        )

    @property
    def path(self) -> str:
        """Where the value is, for example "kwargs.num"."""
        return self.violations[0].field

    def __str__(self) -> str:
        return self.message


class NotFound(QueueServerError):
    """The object that the request names does not exist."""


class PlanNotFound(ItemInvalid, NotFound):
    """There is no plan of this name, or the user group may not use it."""


class DeviceNotFound(NotFound):
    """There is no device or component of this name, or the user group may not use it."""


class TaskNotFound(NotFound):
    """No such task was accepted, or its result is no longer kept."""


class QuestionNotFound(NotFound):
    """The running plan asks nothing, or another question than the one to be answered."""


class ItemNotFound(NotFound):
    """No such item is in the queue, or no longer."""


class OutOfRange(QueueServerError):
    """A position or token lies outside of what there is."""


class PositionOutOfRange(OutOfRange):
    """The queue has no such index."""


class PageTokenExpired(OutOfRange):
    """The listing is too old to be continued: list again from the start."""


class ResumeTokenExpired(OutOfRange):
    """The changes since the token are no longer kept: watch again without a token."""


class InvalidState(QueueServerError):
    """The call does not fit the present state."""

    @property
    def state(self) -> ManagerState:
        """State the Manager is in; unspecified if not said."""
        return self.refusal.state

    @property
    def allowed_states(self) -> Sequence[ManagerState]:
        """States in which the call is accepted; empty if not said."""
        return self.refusal.allowed_states


class EnvironmentClosed(InvalidState):
    """There is no environment: open it first."""


class EnvironmentExists(InvalidState):
    """There is an environment already."""


class EnvironmentOpenFailed(InvalidState):
    """The environment could not be opened; `failure` says where in the startup code."""

    def __init__(self, refusal: Refusal, failure: EnvironmentFailure) -> None:
        super().__init__(refusal)
        self.args = (refusal, failure)
        self.failure = failure

    def __str__(self) -> str:
        place = f" ({self.failure.file}, line {self.failure.line})" if self.failure.file else ""
        return f"{self.message}{place}"


class NotEmpty(InvalidState):
    """The state of another server is to be imported, and this one has something: say that it is to be added."""


class InventoryEmpty(InvalidState):
    """No plan is known because no environment was ever opened: open it, then repeat."""


class ItemHeld(InvalidState):
    """The item at the head of the queue was interrupted and waits for a decision: update, move or remove it."""


class ItemRunning(InvalidState):
    """The item is being executed, so it can't be edited any more: stop it instead."""


class ItemNotRunning(InvalidState):
    """A request names the item that it is for, and that item is not running (any more): nothing was done."""


class QueueRunning(InvalidState):
    """The queue can't be started, because it runs already: nothing is left to do."""


class RunEngineMissing(InvalidState):
    """The startup code has no RunEngine."""


class RunEngineBusy(InvalidState):
    """The RunEngine runs something that the queue did not start: wait, or destroy the environment."""


class RunEnginePanicked(InvalidState):
    """The RunEngine can't be used any more: destroy the environment and open a new one."""


class ScriptsDisabled(InvalidState):
    """The server takes no scripts."""


class ReloadDisabled(InvalidState):
    """The server does not read that file again."""


class FileInvalid(InvalidState):
    """A file of the server can't be read or is wrong; nothing was changed."""


class Conflict(QueueServerError):
    """Something changed while the request was on its way: read again, then repeat."""


class AnswerNotKept(Conflict):
    """The request was carried out, and is not carried out again; its answer was long and is no longer kept.

    Look at what it changed, for example by listing the queue.
    """


class RevisionMismatch(Conflict):
    """The queue, the history or the permissions have changed since the expected revision.

    Nothing was changed: read it again, then decide again.
    """

    @property
    def queue_revision(self) -> int | None:
        """Revision of the queue now, or of its mode if that is newer and was to be changed; None if not said."""
        return self._revision_of("queue")

    @property
    def history_revision(self) -> int | None:
        """Revision of the history now; None if not said."""
        return self._revision_of("history")

    @property
    def permissions_revision(self) -> int | None:
        """Revision of the permissions now; None if not said."""
        return self._revision_of("permissions")

    def _revision_of(self, part: str) -> int | None:
        digits = self.metadata.get(f"{part}_revision", "")
        return int(digits) if digits.isascii() and digits.isdigit() else None


class LimitReached(QueueServerError):
    """A documented limit was reached."""


class QueueFull(LimitReached):
    """The queue takes no more items."""


class WatcherTooSlow(LimitReached):
    """Events came faster than they were read: resume from the last token."""


class ServiceUnavailable(QueueServerError):
    """The Manager, its storage or the Worker can't do it at the moment: try again later."""


class NotOwner(ServiceUnavailable):
    """Another Manager owns the queue."""

    @property
    def owner_address(self) -> str:
        """Address of the owner; empty if there is none at the moment."""
        return self.refusal.owner_address


class DeadlineExceeded(QueueServerError, TimeoutError):
    """No answer came in time. A change may or may not have been made."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)


class AccessDenied(QueueServerError):
    """The caller is not known or may not do this."""


class FunctionNotAllowed(AccessDenied):
    """The caller's user group may not call this function."""


class NotSupported(QueueServerError):
    """The server does not know this call: it is older than this client."""


class DocumentsLost(QueueServerError):
    """Documents of an item's runs did not come; raised after those that did."""

    def __init__(self, refusal: Refusal, runs: Sequence[str]) -> None:
        super().__init__(refusal)
        self.args = (refusal, runs)
        #: uids of the runs of which documents are missing, or may be.
        self.runs = runs


class ServerFault(QueueServerError):
    """The server met an error of its own; its log has the details."""
