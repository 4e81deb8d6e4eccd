from __future__ import annotations

import pickle
from collections.abc import Sequence

import grpc
import pytest
from google.protobuf.descriptor import EnumValueDescriptor
from queueserver.common.v1 import error_reason_pb2
from queueserver.common.v1.error_reason_pb2 import ErrorReason
from queueserver.manager.v1 import error_details_pb2, queue_items_pb2, status_pb2
from queueserver_client import (
    AsyncClient,
    BatchRefused,
    DeadlineExceeded,
    InvalidState,
    ItemInvalid,
    ManagerState,
    NotOwner,
    NotSupported,
    PlanNotFound,
    QueueServerError,
    RevisionMismatch,
    ServerFault,
    Violation,
    errors,
)
from queueserver_client.connection import refusals
from queueserver_rpc.status import Refusal
from queueserver_rpc.status import Violation as SentViolation

from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled

CODE = grpc.StatusCode
#: What gRPC itself finds too long is a matter of the request, not of a limit that will pass.
OTHER_FAMILIES: dict[str, type[QueueServerError]] = {"MESSAGE_TOO_LARGE": errors.InvalidRequest}


async def refused(manager: ScriptedManager, client: AsyncClient, refusal: Refusal) -> QueueServerError:
    manager.answers["GetItem"] = refusal
    with pytest.raises(QueueServerError) as caught:
        await client.queue.get()
    return caught.value


@pytest.mark.parametrize(("reason", "kind"), refusals.BY_REASON.items())
async def test_every_known_reason_raises_its_own_class_whatever_the_code(
    manager: ScriptedManager, client: AsyncClient, reason: str, kind: type[QueueServerError]
) -> None:
    error = await refused(manager, client, Refusal(CODE.UNKNOWN, reason, "A sentence."))
    assert type(error) is kind
    assert (error.reason, error.message, str(error)) == (reason, "A sentence.", "A sentence.")


@pytest.mark.parametrize("value", ErrorReason.DESCRIPTOR.values[1:], ids=lambda value: value.name)
def test_the_class_for_a_reason_is_of_the_family_of_its_code(value: EnumValueDescriptor) -> None:
    reason = value.name.removeprefix("ERROR_REASON_")
    code = CODE[value.GetOptions().Extensions[error_reason_pb2.status_code]]
    kind = type(refusals.from_refusal(errors.Refusal(code, reason, "A sentence.")))
    assert issubclass(kind, OTHER_FAMILIES.get(reason, refusals.BY_CODE[code]))


def test_only_reasons_of_the_contract_have_classes_and_each_class_is_needed() -> None:
    codes = {
        value.name.removeprefix("ERROR_REASON_"): CODE[value.GetOptions().Extensions[error_reason_pb2.status_code]]
        for value in ErrorReason.DESCRIPTOR.values[1:]
    }
    assert refusals.BY_REASON.keys() <= codes.keys()
    assert [reason for reason, kind in refusals.BY_REASON.items() if kind is refusals.BY_CODE[codes[reason]]] == []


async def test_a_reason_that_only_a_newer_server_knows_is_called_by_its_number(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    item = error_details_pb2.RefusedItem.FromString(b"\x10\xe7\x07")
    sent = Refusal(
        CODE.INVALID_ARGUMENT, "BATCH_REFUSED", "1 of 4.", details=[error_details_pb2.BatchRefused(items=[item])]
    )
    error = await refused(manager, client, sent)
    assert isinstance(error, BatchRefused)
    assert [refused_item.reason for refused_item in error.items] == ["999"]


@pytest.mark.parametrize("code", [code for code in CODE if code is not CODE.OK])
async def test_a_reason_of_a_newer_server_raises_the_class_of_its_code(
    manager: ScriptedManager, client: AsyncClient, code: grpc.StatusCode
) -> None:
    error = await refused(manager, client, Refusal(code, "INVENTED_LATER", "A sentence."))
    assert type(error) is refusals.BY_CODE[code]
    assert (error.code, error.reason) == (code, "INVENTED_LATER")


async def test_a_way_out_that_is_told_beside_the_sentence_is_shown_with_it(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    sent = Refusal(CODE.FAILED_PRECONDITION, "ENVIRONMENT_CLOSED", "There is none.", metadata={"remedy": "Open it."})
    error = await refused(manager, client, sent)
    assert (error.message, str(error)) == ("There is none.", "There is none. Open it.")


async def test_an_error_carries_everything_the_server_said(manager: ScriptedManager, client: AsyncClient) -> None:
    sent = Refusal(
        CODE.INVALID_ARGUMENT,
        "ITEM_INVALID",
        "The plan can't take this.",
        violations=(SentViolation("item.kwargs.num", "must be a number"),),
        retry_after=2.5,
        metadata={"plan": "count"},
    )
    error = await refused(manager, client, sent)
    assert isinstance(error, ItemInvalid)
    assert error.violations == (Violation("item.kwargs.num", "must be a number"),)
    assert error.retry_after == 2.5
    assert error.metadata == {"plan": "count"}
    assert len(error.details) == 3
    assert str(error) == "The plan can't take this.\n  item.kwargs.num: must be a number"


async def test_typed_details_become_attributes(manager: ScriptedManager, client: AsyncClient) -> None:
    state = error_details_pb2.InvalidState(
        state=status_pb2.MANAGER_STATE_PAUSED, allowed_states=[status_pb2.MANAGER_STATE_IDLE]
    )
    error = await refused(manager, client, Refusal(CODE.FAILED_PRECONDITION, "INVALID_STATE", "No.", details=[state]))
    assert isinstance(error, InvalidState)
    assert (error.state, error.allowed_states) == (ManagerState.PAUSED, (ManagerState.IDLE,))

    owner = error_details_pb2.NotOwner(owner_address="host:1")
    error = await refused(manager, client, Refusal(CODE.UNAVAILABLE, "NOT_OWNER", "No.", details=[owner]))
    assert isinstance(error, NotOwner)
    assert error.owner_address == "host:1"


async def test_a_revision_that_is_not_the_expected_one_is_named(manager: ScriptedManager, client: AsyncClient) -> None:
    sent = Refusal(CODE.ABORTED, "REVISION_MISMATCH", "The queue has changed.", metadata={"queue_revision": "41"})
    error = await refused(manager, client, sent)
    assert isinstance(error, RevisionMismatch)
    assert error.queue_revision == 41
    error = await refused(manager, client, Refusal(CODE.ABORTED, "REVISION_MISMATCH", "The queue has changed."))
    assert isinstance(error, RevisionMismatch)
    assert error.queue_revision is None


async def test_an_answer_that_can_not_be_read_says_so(manager: ScriptedManager, client: AsyncClient) -> None:
    for name, call in (("GetItem", client.queue.get), ("ClearQueue", client.queue.clear)):
        manager.answers[name] = b"\xff"
        with pytest.raises(ServerFault, match="can't be read") as caught:
            await call()
        assert caught.value.reason == "ANSWER_UNREADABLE"
        assert len(manager.requests(name)) == 1


async def test_a_refused_batch_names_its_items(manager: ScriptedManager, client: AsyncClient) -> None:
    item = error_details_pb2.RefusedItem(
        index=3, reason="ERROR_REASON_PLAN_NOT_FOUND", message="There is no plan 'cuont'."
    )
    item.field_violations.add(field="name", description="did you mean 'count'?")
    detail = error_details_pb2.BatchRefused(items=[item])
    error = await refused(manager, client, Refusal(CODE.INVALID_ARGUMENT, "BATCH_REFUSED", "1 of 4.", details=[detail]))
    assert isinstance(error, BatchRefused)
    assert (error.items[0].index, error.items[0].reason) == (3, "PLAN_NOT_FOUND")
    assert error.items[0].violations == (Violation("name", "did you mean 'count'?"),)
    assert "item 3: There is no plan 'cuont'." in str(error)


async def test_a_server_that_does_not_answer_in_time_is_told_from_one_that_refuses(manager: ScriptedManager) -> None:
    manager.answers["ClearQueue"] = [queue_items_pb2.ClearQueueResponse(), lambda _: until_cancelled()]
    async with AsyncClient(manager.address) as client:
        await client.queue.clear()
        # Connecting has no part in it, which may take longer on a machine with much to do.
        client._connection.timeout = 0.3
        with pytest.raises(DeadlineExceeded, match="may or may not have been made") as caught:
            await client.queue.clear()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.reason == ""


async def test_another_grpc_server_is_recognised_by_its_missing_calls(client: AsyncClient) -> None:
    empty = grpc.aio.server()
    port = empty.add_insecure_port("127.0.0.1:0")
    await empty.start()
    async with AsyncClient(f"127.0.0.1:{port}") as other:
        with pytest.raises(NotSupported, match="is it a Queue Server"):
            await other.status()
    await empty.stop(None)
    assert client.address != f"127.0.0.1:{port}"


def test_errors_survive_pickling() -> None:
    error = PlanNotFound(errors.Refusal(CODE.NOT_FOUND, "PLAN_NOT_FOUND", "No such plan."))
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - made in this line
    assert (type(copy), copy.reason, str(copy)) == (PlanNotFound, "PLAN_NOT_FOUND", "No such plan.")


def test_every_class_is_drawn_in_the_tree_of_the_docstring() -> None:
    def below(kind: type[QueueServerError]) -> Sequence[type[QueueServerError]]:
        return [found for child in kind.__subclasses__() for found in (child, *below(child))]

    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in below(QueueServerError) if kind.__name__ not in drawn] == []
