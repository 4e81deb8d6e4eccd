"""What the contract says of each method beside it: complete, true to the comment, and what the servicers implement."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions
from queueserver.common.v1 import error_reason_pb2, method_pb2
from queueserver.manager.v1 import event_pb2
from queueserver.worker.v1 import event_pb2 as worker_event_pb2
from queueserver.worker.v1 import worker_service_pb2
from queueserver_manager.rpc.guards import LOCKS
from queueserver_manager.rpc.servicers import (
    environment,
    events,
    history,
    inventory,
    lock,
    permissions,
    planning,
    queue,
    run_engine,
    server,
    status,
    tasks,
)
from queueserver_protos import descriptor_set
from queueserver_rpc.reasons import refused
from queueserver_rpc.status import abort
from queueserver_worker.rpc.worker import WorkerServicer

from tests.harness.declared import BY_FIELD, COMMON, DeclaredReasons, declared_reasons, own_reasons
from tests.harness.services import REPOSITORY
from tests.integration.client.scripted_manager import MODULES

PROTOS = REPOSITORY / "protos"
MANAGER = [m for module in MODULES for s in module.DESCRIPTOR.services_by_name.values() for m in s.methods]
WORKER = list(worker_service_pb2.DESCRIPTOR.services_by_name["WorkerService"].methods)
SERVICERS = {
    name.removesuffix("Servicer"): found
    for module in (
        environment,
        events,
        history,
        inventory,
        lock,
        permissions,
        planning,
        queue,
        run_engine,
        server,
        status,
        tasks,
    )
    for name, found in vars(module).items()
    if name.endswith("Servicer") and found.__module__ == module.__name__
}
#: What changes something whatever is locked: the one for emergencies, and what the lock itself is changed by.
UNGUARDED = {"RunEngineService.AbortPlanNow", "ServerService.StopServer"} | {
    f"LockService.{name}"
    for name in ("AcquireLock", "ReleaseLock", "RenewLock", "RequestLock", "AnswerLockRequest", "WithdrawLockRequest")
}
NAMES = {value.removeprefix("ERROR_REASON_") for value in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name}


def named(method: MethodDescriptor) -> str:
    return f"{method.containing_service.name}.{method.name}"


def of_all(methods: list[MethodDescriptor]) -> Any:
    return pytest.mark.parametrize("method", [pytest.param(method, id=named(method)) for method in methods])


def rules(method: MethodDescriptor) -> method_pb2.MethodRules:
    options: Any = method.GetOptions()
    found: method_pb2.MethodRules = options.Extensions[method_pb2.rules]
    return found


def reads(method: MethodDescriptor) -> bool:
    return bool(method.GetOptions().idempotency_level == MethodOptions.NO_SIDE_EFFECTS)


def comments() -> Iterator[tuple[str, str]]:
    """The comment of each method, by its name with that of the service."""
    for file in FileDescriptorSet.FromString(Path(descriptor_set()).read_bytes()).file:
        for place in file.source_code_info.location:
            if len(place.path) == 4 and (place.path[0], place.path[2]) == (6, 2):
                service = file.service[place.path[1]]
                yield f"{service.name}.{service.method[place.path[3]].name}", place.leading_comments


COMMENTS = dict(comments())


@of_all(MANAGER)
def test_a_method_says_which_scopes_it_needs(method: MethodDescriptor) -> None:
    scopes = set(rules(method).scopes)
    assert scopes
    assert method_pb2.SCOPE_UNSPECIFIED not in scopes
    if reads(method):
        assert scopes == {method_pb2.SCOPE_QUEUE_EDIT if method.name == "SimulateItem" else method_pb2.SCOPE_READ}
    else:
        assert method_pb2.SCOPE_READ not in scopes


@of_all(MANAGER)
def test_what_reads_can_be_repeated_and_what_changes_something_has_a_request_id(method: MethodDescriptor) -> None:
    field = method.input_type.fields_by_name.get("request_id")
    if reads(method):
        assert field is None
        assert (rules(method).lock, list(rules(method).events)) == (method_pb2.METHOD_LOCK_UNSPECIFIED, [])
    else:
        assert field is not None
        assert field.number == 100
        assert rules(method).events
        is_guarded = rules(method).lock != method_pb2.METHOD_LOCK_UNSPECIFIED
        assert is_guarded == (named(method) not in UNGUARDED)


@of_all(MANAGER)
def test_what_may_be_locked_takes_the_key_and_is_guarded_by_the_manager(method: MethodDescriptor) -> None:
    is_guarded = rules(method).lock != method_pb2.METHOD_LOCK_UNSPECIFIED
    field = method.input_type.fields_by_name.get("lock_key")
    assert (field is not None) == (is_guarded or method.containing_service.name == "LockService")
    assert field is None or field.number == 103
    assert LOCKS.get(method.input_type.full_name) == (rules(method).lock if is_guarded else None)


@of_all(MANAGER + WORKER)
def test_events_and_reasons_are_those_of_the_contract_and_not_repeated(method: MethodDescriptor) -> None:
    contract = event_pb2.WatchEvent if method in MANAGER else worker_event_pb2.WorkerEvent
    known = {field.name for field in contract.DESCRIPTOR.oneofs_by_name["event"].fields}
    found = rules(method)
    assert set(found.events) <= known
    assert error_reason_pb2.ERROR_REASON_UNSPECIFIED not in found.reasons
    for values in (found.scopes, found.events, found.reasons, found.known_as):
        assert len(set(values)) == len(values)
    assert not own_reasons(method) & COMMON.union(*BY_FIELD.values())


@of_all(MANAGER + WORKER)
def test_the_comment_names_no_reason_and_no_event_that_the_options_lack(method: MethodDescriptor) -> None:
    comment = COMMENTS[named(method)]
    assert set(re.findall(r"\b[A-Z][A-Z_]+\b", comment)) & NAMES <= declared_reasons(method)
    told = comment.partition("Events: ")[2].partition("Retries: ")[0]
    known = {field.name for field in event_pb2.WatchEvent.DESCRIPTOR.oneofs_by_name["event"].fields}
    assert set(re.findall(r"\b[a-z_]+\b", told)) & (known - {"status", "document", "console"}) <= set(
        rules(method).events
    )


@of_all(MANAGER)
def test_a_servicer_implements_the_method(method: MethodDescriptor) -> None:
    servicer = SERVICERS[method.containing_service.name.removesuffix("Service")]
    assert any(method.name in vars(kind) for kind in servicer.__mro__ if not kind.__name__.endswith("ServiceServicer"))


@of_all(WORKER)
def test_the_worker_implements_the_method(method: MethodDescriptor) -> None:
    assert method.name in vars(WorkerServicer)


def buf(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "buf"), *words]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)


def test_the_page_says_which_reasons_all_methods_have() -> None:
    page = (REPOSITORY / "docs/reference/methods.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)`", page)) == COMMON.union(*BY_FIELD.values())


def test_a_change_that_takes_something_away_is_noticed(tmp_path: Path) -> None:
    shutil.copytree(PROTOS / "queueserver", tmp_path / "queueserver")
    shutil.copy(PROTOS / "buf.yaml", tmp_path)
    assert buf(tmp_path, "build", "--exclude-source-info", "-o", "before.binpb").returncode == 0
    service = tmp_path / "queueserver/manager/v1/history_service.proto"
    text = service.read_text(encoding="utf-8")
    service.write_text(
        text.replace("string request_id = 100;", "string request_id = 100;\n  // More.\n  bool more = 200;")
    )
    assert buf(tmp_path, "breaking", "--against", "before.binpb").returncode == 0
    service.write_text(text.replace("string request_id = 100;", "string request_uid = 100;"))
    found = buf(tmp_path, "breaking", "--against", "before.binpb")
    assert found.returncode != 0
    assert "request_uid" in found.stdout


async def test_a_refusal_that_the_contract_does_not_say_fails_the_tests_that_meet_it() -> None:
    async def refuse(_: bytes, context: Any) -> None:
        await abort(context, refused(error_reason_pb2.ERROR_REASON_QUEUE_FULL, "Full."))

    server = grpc.aio.server()
    handlers = {name: grpc.unary_unary_rpc_method_handler(refuse) for name in ("ClearQueue", "AddItem")}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("queueserver.manager.v1.QueueService", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", interceptors=[DeclaredReasons()]) as channel:
        with pytest.raises(grpc.aio.AioRpcError):
            await channel.unary_unary("/queueserver.manager.v1.QueueService/AddItem")(b"")
        with pytest.raises(AssertionError, match="QUEUE_FULL, which it does not say"):
            await channel.unary_unary("/queueserver.manager.v1.QueueService/ClearQueue")(b"")
    await server.stop(None)
