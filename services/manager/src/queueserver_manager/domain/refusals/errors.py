"""Everything the Manager may refuse, as types.

The docstring of a class says when it happens, its attributes carry the data, its message is one sentence that
names the way out. ``rpc/errors.py`` gives each a status code and a stable reason; a test proves that table
total. Those about the environment and its RunEngine are in ``environment_errors.py``, those about permissions in
``permission_errors.py``, those about questions in ``question_errors.py``, those about batches in ``batch_errors.py``.

Refused
├── InvalidRequest            the request itself is wrong, in any state
│   ├── FieldInvalid
│   ├── ItemInvalid
│   ├── NumberNotExact
│   ├── ItemTooLarge
│   ├── ScriptTooLarge
│   ├── PositionMissing
│   ├── RequestIdReused
│   ├── PageTokenInvalid
│   └── ResumeTokenInvalid
├── NotPermitted              the caller may not do it
│   └── FunctionNotAllowed
├── NotFound
│   ├── PlanNotFound
│   ├── DeviceNotFound
│   ├── ItemNotFound
│   └── TaskNotFound
├── BeyondRange
│   ├── PositionOutOfRange
│   ├── PageTokenExpired
│   └── ResumeTokenExpired
├── WrongState                the request does not fit the state
│   ├── InvalidState
│   │   └── QueueRunning
│   ├── ItemRunning
│   ├── ItemNotRunning
│   ├── ItemHeld
│   ├── InventoryEmpty
│   └── ScriptsDisabled
├── Conflict
│   ├── AnswerNotKept
│   ├── InventoryChanged
│   └── RevisionMismatch
├── Exhausted
│   ├── QueueFull
│   ├── TooManyTasks
│   └── WatcherTooSlow
└── Unavailable               try again, here or elsewhere
    ├── NotOwner
    ├── NotReady
    ├── ServerStopping
    ├── StorageUnavailable
    ├── WorkerUnavailable
    └── EnvironmentUnresponsive
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from queueserver_manager.domain.lifecycle import ManagerState


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field: its path in the request, and what is wrong and what would be right."""

    field: str
    description: str


class Refused(Exception):  # noqa: N818 - named for what happened to the request
    """A request was refused and changed nothing."""

    #: The method that clears the obstacle, for example "EnvironmentService.OpenEnvironment", if one call does.
    remedy_method = ""

    def __init__(self, message: str, *, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.message = message
        #: The wrong fields, if the request itself is at fault.
        self.violations = tuple(violations)


class InvalidRequest(Refused):
    """The request itself is wrong."""


class FieldInvalid(InvalidRequest):
    """A field of the request has a value it can't have."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}.", violations=[Violation(field, description)])


class ItemInvalid(InvalidRequest):
    """The item does not fit the plan it names; one violation for each wrong parameter."""


class NumberNotExact(InvalidRequest):
    """A number can't be passed on exactly: NaN, infinite, or a whole number that may have lost digits."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}.", violations=[Violation(field, description)])


class ItemTooLarge(InvalidRequest):
    """One item is larger than allowed."""


class ScriptTooLarge(InvalidRequest):
    """A script is larger than allowed."""


class PositionMissing(InvalidRequest):
    """A move lacks a source or a destination; one violation for each missing field."""

    def __init__(self, needs: str, fields: Sequence[str]) -> None:
        """``needs`` says what a move needs and what to do, for example "a destination: say where the items go"."""
        description = f"move needs {needs}"
        super().__init__(f"A {description}.", violations=[Violation(field, description) for field in fields])


class RequestIdReused(InvalidRequest):
    """A request id was used again with a different request."""

    def __init__(self) -> None:
        super().__init__("This request_id was used for another request: give each request an id of its own.")


class PageTokenInvalid(InvalidRequest):
    """A page token was not made by this service, or for another listing."""

    def __init__(self) -> None:
        super().__init__(
            "The page token belongs to another listing: send the same fields as for its first page, "
            "or begin the listing without a token."
        )


class ResumeTokenInvalid(InvalidRequest):
    """A resume token was not made by this service."""

    def __init__(self) -> None:
        super().__init__("The resume token does not come from this service: begin watching without a token.")


class NotPermitted(Refused):
    """The caller may not do this."""


class FunctionNotAllowed(NotPermitted):
    """The caller's user group may not call this function."""

    def __init__(self, name: str, group: str, near: str = "") -> None:
        way = f"did you mean {near}?" if near else "list the functions that it may call, or ask for the permission."
        super().__init__(f"User group {group!r} may not call a function {name[:100]!r}: {way}")


class NotFound(Refused):
    """The object that the request names does not exist."""


class PlanNotFound(NotFound):
    """No plan of that name is known, or the caller's group may not use it."""


class DeviceNotFound(NotFound):
    """No device or component of that name is known, or the user group may not use it."""


class ItemNotFound(NotFound):
    """No such item is in the queue."""


class TaskNotFound(NotFound):
    """No such task was accepted, or its result is no longer kept."""


class BeyondRange(Refused):
    """A position or token lies outside of what there is."""


class PositionOutOfRange(BeyondRange):
    """There is no item at that position."""


class PageTokenExpired(BeyondRange):
    """The listing that the token continues is no longer kept."""

    def __init__(self) -> None:
        super().__init__("This listing is too old to be continued: begin it again without a token.")


class ResumeTokenExpired(BeyondRange):
    """The changes since the token are no longer kept, or the store was replaced."""

    def __init__(self) -> None:
        super().__init__("The changes since this token are no longer kept: begin watching anew without a token.")


class WrongState(Refused):
    """The request does not match the present state."""


class InvalidState(WrongState):
    """The Manager's state does not allow it."""

    def __init__(self, message: str, state: ManagerState, allowed: Collection[ManagerState]) -> None:
        super().__init__(message)
        self.state = state
        #: States in which the request is accepted.
        self.allowed = sorted(allowed, key=lambda option: option.name)


class QueueRunning(InvalidState):
    """The queue can't be started because it is running; nothing is left to do."""


class ItemRunning(WrongState):
    """The item is being executed and so no longer in the queue."""


#: Characters of a uid that are sent back: what a client sent may not be a uid.
MAX_SHOWN = 200


class ItemNotRunning(WrongState):
    """A request names the item that it is for, and that item is not running, or no longer."""

    def __init__(self, uid: str) -> None:
        super().__init__(
            f"Item {uid[:MAX_SHOWN]!r} is not running, so nothing was done: look for it in the history or the "
            "queue; name no item to act on the plan that runs."
        )
        self.item_uid = uid[:MAX_SHOWN]


class ItemHeld(WrongState):
    """The item at the head of the queue was interrupted and waits for a decision."""

    def __init__(self, uid: str) -> None:
        super().__init__(
            f"The first item ({uid}) was interrupted and is held: update, move or remove it, then start the queue."
        )


class InventoryEmpty(WrongState):
    """No plan is known: no environment was ever opened, or its startup code has none."""

    remedy_method = "EnvironmentService.OpenEnvironment"

    def __init__(self) -> None:
        super().__init__(
            "No plans are known: open the environment, or wait until it is open, then add the item; "
            "if it is open, its startup code has no plans (ListIssues and 'qserver environment report' say why)."
        )


class ScriptsDisabled(WrongState):
    """The Manager was told to take no scripts."""

    def __init__(self) -> None:
        super().__init__("Scripts are switched off here: the Manager must be started with --scripts ON.")


class Conflict(Refused):
    """Something changed meanwhile."""


class AnswerNotKept(Conflict):
    """A request that was carried out is repeated, and its response was dropped because it was long."""

    def __init__(self) -> None:
        super().__init__(
            "This request was carried out before and is not repeated, but its answer is no longer kept: "
            "look at what it changed, for example by listing the queue."
        )


class InventoryChanged(Conflict):
    """The plans and devices changed since the listing began."""

    def __init__(self) -> None:
        super().__init__("Plans and devices changed since the first page: begin the listing again without a token.")


class RevisionMismatch(Conflict):
    """A part of the record changed since the revision that the request expects."""

    def __init__(self, expected: int, present: int, part: str = "queue") -> None:
        name = part.replace("_and_", " or its ")
        verb, it = ("were changed", "them") if part == "permissions" else ("changed", "it")
        super().__init__(
            f"The {name} {verb} at revision {present}, and this request expects revision {expected}: "
            f"look at {it} again, then repeat the request."
        )
        self.present = present
        #: Which part, without its mode: "queue", "history" or "permissions".
        self.part = part.removesuffix("_and_mode")


class Exhausted(Refused):
    """A bound is reached."""


class QueueFull(Exhausted):
    """The queue has as many items as it may have."""


class TooManyTasks(Exhausted):
    """As many background tasks are running as allowed."""


class WatcherTooSlow(Exhausted):
    """A watcher fell behind by more than is kept for it."""

    def __init__(self) -> None:
        super().__init__("This watcher fell too far behind: watch again with the last resume token it received.")


class Unavailable(Refused):
    """Not now or not here; a retry may help after ``retry_after`` seconds."""

    retry_after = 1.0


class NotOwner(Unavailable):
    """Another Manager owns the queue."""

    #: A standby takes over within this time from an owner whose process has died.
    retry_after = 0.2

    def __init__(self, owner_address: str) -> None:
        where = f"send the request to the owner at {owner_address}" if owner_address else "try again in a moment"
        super().__init__(f"This Manager is a standby and changes nothing: {where}.")
        self.owner_address = owner_address


class NotReady(Unavailable):
    """The Manager has just started or is about to end, or could not use Redis since it started."""

    def __init__(self, cause: str = "") -> None:
        """``cause`` is a sentence that says what it waits for, if known."""
        super().__init__(f"The Manager is not ready yet{f'. {cause}' if cause else ': try again in a moment.'}")


class ServerStopping(Unavailable):
    """The server was told to stop: nothing new starts."""

    def __init__(self) -> None:
        super().__init__("The server is stopping: start it again, then repeat this.")


class StorageUnavailable(Unavailable):
    """Redis does not answer, or takes no changes."""

    def __init__(self, *, fate_known: bool, cause: str = "Redis can't be reached.") -> None:
        """``cause`` is a sentence: what is wrong with Redis."""
        advice = (
            "Nothing was changed: try again when Redis is back."
            if fate_known
            else "Whether this change was stored is not known yet: look at the queue before you repeat it."
        )
        super().__init__(f"{cause} {advice}")
        self.fate_known = fate_known


class WorkerUnavailable(Unavailable):
    """The Worker does not answer, or does not understand us."""

    def __init__(
        self,
        message: str = "The Worker can't be reached, so nothing can be executed: make sure it runs, then try again.",
    ) -> None:
        super().__init__(message)


class EnvironmentUnresponsive(Unavailable):
    """The environment does not answer in time."""

    def __init__(self) -> None:
        super().__init__("The environment does not answer: try again, or destroy it if it never does.")
