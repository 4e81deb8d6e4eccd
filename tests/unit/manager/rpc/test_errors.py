"""What clients are told about refusals: one table, total, with stable reasons."""

from __future__ import annotations

import inspect
import re

import grpc
import pytest
from queueserver.manager.v1 import error_details_pb2 as details_pb2
from queueserver.manager.v1 import status_pb2
from queueserver_manager.domain.lifecycle import ManagerState
from queueserver_manager.domain.lock import lock_errors
from queueserver_manager.domain.lock.lock import Claim, Lock, LockRequest
from queueserver_manager.domain.permissions import permission_errors
from queueserver_manager.domain.refusals import (
    batch_errors,
    environment_errors,
    errors,
    import_errors,
    question_errors,
)
from queueserver_manager.rpc.errors import TABLE, translate
from queueserver_rpc.reasons import name_of
from queueserver_rpc.status import to_proto

MODULES = (errors, environment_errors, permission_errors, question_errors, batch_errors, import_errors, lock_errors)
ALL = list(
    {
        error: None
        for module in MODULES
        for error in vars(module).values()
        if inspect.isclass(error) and issubclass(error, errors.Refused)
    }
)
LEAVES = [error for error in ALL if not error.__subclasses__() or error is errors.InvalidState]
FAMILIES = {
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.NotPermitted: grpc.StatusCode.PERMISSION_DENIED,
    errors.NotFound: grpc.StatusCode.NOT_FOUND,
    errors.BeyondRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.WrongState: grpc.StatusCode.FAILED_PRECONDITION,
    errors.Conflict: grpc.StatusCode.ABORTED,
    errors.Exhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Unavailable: grpc.StatusCode.UNAVAILABLE,
}
#: The caller's deadline is not what ran out, but the code says best that an answer did not come in time.
EXCEPTIONS = {
    errors.EnvironmentUnresponsive: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.AnswerNotKept: grpc.StatusCode.ALREADY_EXISTS,
}
WRONG = errors.Violation("item.name", "required")
#: One of each, made as the domain makes them.


def refused_items(refused: dict[int, errors.Refused]) -> batch_errors.RefusedItems:
    """Refused items of a batch, by index."""
    items = batch_errors.RefusedItems()
    for index, error in refused.items():
        items.add(index, error)
    return items


CLAIM = Claim(environment=True, queue=False, user="anna", note="in the hutch", time=1000.0)
LOCK = Lock("held", CLAIM, request=LockRequest("asked", CLAIM, 2000.0))
SAMPLES: dict[type[errors.Refused], errors.Refused] = {
    question_errors.QuestionNotFound: question_errors.QuestionNotFound("another"),
    import_errors.NotEmpty: import_errors.NotEmpty(3, 0, is_running=True),
    errors.FieldInvalid: errors.FieldInvalid("page_size", "must be 0 or more"),
    errors.ItemInvalid: errors.ItemInvalid("The item has no name.", violations=[WRONG]),
    errors.PositionMissing: errors.PositionMissing("a destination: say where the items go", ["destination"]),
    errors.NumberNotExact: errors.NumberNotExact("item.args[0]", "pass it as text"),
    batch_errors.BatchRefused: batch_errors.BatchRefused(
        refused_items({3: errors.ItemInvalid("The item has no name.", violations=[WRONG])}), 9
    ),
    permission_errors.PermissionsInvalid: permission_errors.PermissionsInvalid([WRONG]),
    permission_errors.FileInvalid: permission_errors.FileInvalid("permissions.yaml", "is wrong", violations=[WRONG]),
    errors.FunctionNotAllowed: errors.FunctionNotAllowed("reset", "visitors"),
    errors.InvalidState: errors.InvalidState(
        "Can't stop the queue.", ManagerState.IDLE, [ManagerState.EXECUTING_QUEUE]
    ),
    errors.QueueRunning: errors.QueueRunning("The queue is running already.", ManagerState.PAUSED, [ManagerState.IDLE]),
    environment_errors.EnvironmentClosed: environment_errors.EnvironmentClosed("RE Worker environment does not exist."),
    errors.NotOwner: errors.NotOwner("beamline:60630"),
    errors.StorageUnavailable: errors.StorageUnavailable(fate_known=True),
    errors.ItemHeld: errors.ItemHeld("held-uid"),
    errors.ItemNotRunning: errors.ItemNotRunning("ended-uid"),
    errors.RevisionMismatch: errors.RevisionMismatch(5, 9),
    lock_errors.Locked: lock_errors.Locked(LOCK, emergency_key_is_set=True),
    lock_errors.LockKeyInvalid: lock_errors.LockKeyInvalid(LOCK, emergency_key_is_set=False),
    lock_errors.LockRequestWaits: lock_errors.LockRequestWaits(LOCK, emergency_key_is_set=False),
}
#: Their message is the one that people know, which ends with a note; the way out is in the metadata.
WORDED = (lock_errors.Locked, lock_errors.LockKeyInvalid)


def sample(kind: type[errors.Refused]) -> errors.Refused:
    if kind in SAMPLES:
        return SAMPLES[kind]
    return kind() if kind.__init__ is not errors.Refused.__init__ else kind("Something is wrong: mend it.")


def test_the_table_has_every_refusal_and_nothing_else() -> None:
    assert set(TABLE) == set(LEAVES)


def test_reasons_are_unique_upper_case_and_follow_from_the_names_of_the_errors() -> None:
    assert len(set(TABLE.values())) == len(TABLE)
    for kind, reason in TABLE.items():
        assert name_of(reason) == re.sub(r"(?<!^)([A-Z])", r"_\1", kind.__name__).upper()


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", "".join(module.__doc__ or "" for module in MODULES))
    assert sorted(set(drawn)) == sorted(kind.__name__ for kind in ALL if kind is not errors.Refused)


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_a_refusal_has_the_code_of_its_family_and_its_own_reason(kind: type[errors.Refused]) -> None:
    error = sample(kind)
    refusal = translate(error)
    assert refusal is not None
    (family,) = [code for parent, code in FAMILIES.items() if issubclass(kind, parent)]
    code = EXCEPTIONS.get(kind, family)
    assert (refusal.code, refusal.reason, refusal.message) == (code, name_of(TABLE[kind]), error.message)
    assert (refusal.retry_after is not None) == issubclass(kind, errors.Unavailable)
    assert refusal.metadata["remedy"] if kind in WORDED else refusal.message.endswith(".")
    assert to_proto(refusal).code == code.value[0]


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), Exception("x")], ids=repr)
def test_a_defect_is_no_refusal(error: Exception) -> None:
    assert translate(error) is None


def test_wrong_fields_are_passed_on() -> None:
    refusal = translate(SAMPLES[errors.ItemInvalid])
    assert refusal is not None
    assert [(violation.field, violation.description) for violation in refusal.violations] == [("item.name", "required")]


def test_a_wrong_state_carries_the_state_and_the_allowed_ones() -> None:
    refusal = translate(SAMPLES[errors.InvalidState])
    assert refusal is not None
    allowed = [status_pb2.MANAGER_STATE_EXECUTING_QUEUE]
    assert list(refusal.details) == [
        details_pb2.InvalidState(state=status_pb2.MANAGER_STATE_IDLE, allowed_states=allowed)
    ]


def test_a_queue_that_changed_says_at_which_revision() -> None:
    refusal = translate(errors.RevisionMismatch(5, 9))
    assert refusal is not None
    assert refusal.metadata == {"queue_revision": "9"}


def test_a_standby_says_where_the_owner_is_or_that_there_is_none_yet() -> None:
    refusal = translate(errors.NotOwner("beamline:60630"))
    assert refusal is not None
    assert list(refusal.details) == [details_pb2.NotOwner(owner_address="beamline:60630")]
    assert "send the request to the owner at beamline:60630" in refusal.message
    assert "try again in a moment" in errors.NotOwner("").message


def test_a_refused_batch_names_its_wrong_items() -> None:
    refusal = translate(SAMPLES[batch_errors.BatchRefused])
    assert refusal is not None
    (detail,) = refusal.details
    assert isinstance(detail, details_pb2.BatchRefused)
    (item,) = detail.items
    assert (item.index, name_of(item.reason), item.field_violations[0].field) == (3, "ITEM_INVALID", "item.name")
    assert refusal.message.startswith("1 of 9 items are wrong and nothing was changed; the first one is number 3,")
    assert refusal.message.endswith("counting from 0: The item has no name.")


def test_of_a_huge_refused_batch_the_first_items_are_named_and_long_texts_cut() -> None:
    long = errors.Violation("item.kwargs.num", "x" * 2000)
    items = {i: errors.ItemInvalid("x" * 2000, violations=[long] * 50) for i in range(5000)}
    refusal = translate(batch_errors.BatchRefused(refused_items(items), 5000))
    assert refusal is not None
    (detail,) = refusal.details
    assert isinstance(detail, details_pb2.BatchRefused)
    assert [item.index for item in detail.items] == list(range(len(detail.items)))
    assert 1 <= len(detail.items) <= 20
    assert detail.ByteSize() < 5000


def test_every_sentence_that_is_fixed_says_what_to_do() -> None:
    for kind, words in {
        errors.PageTokenInvalid: "begin the listing",
        errors.ResumeTokenInvalid: "begin watching",
        errors.PageTokenExpired: "begin it again",
        errors.ResumeTokenExpired: "begin watching anew",
        errors.InventoryEmpty: "open the environment",
        environment_errors.RunEngineMissing: "define RE",
        environment_errors.RunEnginePanicked: "open a new one",
        environment_errors.RunEngineBusy: "wait until it has ended",
        errors.InventoryChanged: "begin the listing again",
        errors.WatcherTooSlow: "watch again",
        errors.NotReady: "try again",
        errors.WorkerUnavailable: "try again",
        errors.EnvironmentUnresponsive: "destroy it",
        errors.ItemHeld: "update, move or remove it",
        errors.RevisionMismatch: "look at it again",
        errors.RequestIdReused: "an id of its own",
        errors.AnswerNotKept: "look at what it changed",
    }.items():
        assert words in sample(kind).message
    for known, words in ((True, "Nothing was changed"), (False, "look at the queue")):
        assert words in errors.StorageUnavailable(fate_known=known).message


@pytest.mark.parametrize("kind", [environment_errors.EnvironmentExists, environment_errors.EnvironmentClosed])
def test_a_sentence_that_the_tutorials_fix_has_its_remedy_beside_it(kind: type[errors.Refused]) -> None:
    refusal = translate(sample(kind))
    assert refusal is not None
    assert refusal.metadata["remedy"].endswith(".")


@pytest.mark.parametrize(
    ("error", "method"),
    [
        (errors.InventoryEmpty(), "OpenEnvironment"),
        (environment_errors.EnvironmentClosed("There is none."), "OpenEnvironment"),
        (environment_errors.RunEngineMissing(), "CloseEnvironment"),
        (environment_errors.RunEnginePanicked(), "DestroyEnvironment"),
    ],
)
def test_a_refusal_that_one_call_clears_names_the_method(error: errors.Refused, method: str) -> None:
    refusal = translate(error)
    assert refusal is not None
    assert refusal.metadata["remedy_method"] == f"queueserver.manager.v1.EnvironmentService/{method}"


@pytest.mark.parametrize(
    "error",
    [
        environment_errors.EnvironmentClosed("There is none.", "Nothing is left to do."),
        environment_errors.EnvironmentExists(),
    ],
)
def test_a_refusal_that_no_call_clears_names_no_method(error: errors.Refused) -> None:
    refusal = translate(error)
    assert refusal is not None
    assert "remedy_method" not in refusal.metadata


@pytest.mark.parametrize(("known", "metadata"), [(True, {}), (False, {"fate": "unknown"})])
def test_a_program_can_tell_whether_it_is_known_that_nothing_was_changed(known: bool, metadata: dict[str, str]) -> None:
    refusal = translate(errors.StorageUnavailable(fate_known=known))
    assert refusal is not None
    assert refusal.metadata == metadata
