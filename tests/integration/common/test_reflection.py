"""Reflection tells all of the contract, with its comments, in both versions of its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from importlib import import_module
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_database import DescriptorDatabase
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2
from queueserver_protos import descriptor_set
from queueserver_rpc.server import Server

SECONDS = 20.0
VERSIONS = ("v1", "v1alpha")
SERVICE = "queueserver.worker.v1.WorkerService"
OURS = "queueserver/"


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = Server((SERVICE,), descriptor_set=descriptor_set())
    address = server.listen("127.0.0.1:0", insecure=False)
    await server.start()
    async with grpc.aio.insecure_channel(address) as connected:
        yield connected
    await server.stop(0)


async def ask(channel: grpc.aio.Channel, *requests: Any, version: str = "v1") -> list[Any]:
    """The answers to requests on one stream."""
    method = f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"
    call = channel.stream_stream(method, response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
    encoded = [request if isinstance(request, bytes) else request.SerializeToString() for request in requests]
    return [answer async for answer in call(iter(encoded), timeout=SECONDS)]


def about(**what: Any) -> Any:
    """A request; a message of its own is given as what it is made of."""
    return reflection_pb2.ServerReflectionRequest(**what)


def files_in(answer: Any) -> list[FileDescriptorProto]:
    """The files that an answer brings."""
    return [FileDescriptorProto.FromString(data) for data in answer.file_descriptor_response.file_descriptor_proto]


def pool_of(files: Iterable[FileDescriptorProto]) -> DescriptorPool:
    """Files as a client puts them together; it can't find what needs a file that is not there."""
    database = DescriptorDatabase()
    for file in files:
        database.Add(file)
    return DescriptorPool(database)


def whole_set() -> FileDescriptorSet:
    """What the descriptor set of the contract holds."""
    return FileDescriptorSet.FromString(descriptor_set().read_bytes())


def symbols_of(scope: str, message: DescriptorProto) -> Iterator[str]:
    """A message and everything with a name in it."""
    name = f"{scope}.{message.name}"
    yield name
    for part in (*message.field, *message.oneof_decl, *message.extension):
        yield f"{name}.{part.name}"
    for enum in message.enum_type:
        yield from (f"{name}.{enum.name}", *(f"{name}.{value.name}" for value in enum.value))
    for nested in message.nested_type:
        yield from symbols_of(name, nested)


def symbols(files: Iterable[FileDescriptorProto]) -> dict[str, str]:
    """The file of each full name."""
    found = {}
    for file in files:
        names = [name for message in file.message_type for name in symbols_of(file.package, message)]
        for enum in file.enum_type:
            names += [f"{file.package}.{enum.name}", *(f"{file.package}.{value.name}" for value in enum.value)]
        for service in file.service:
            full = f"{file.package}.{service.name}"
            names += [full, *(f"{full}.{method.name}" for method in service.method)]
        names += [f"{file.package}.{extension.name}" for extension in file.extension]
        found |= dict.fromkeys(names, file.name)
    return found


@pytest.mark.parametrize("version", VERSIONS)
async def test_it_lists_the_services_and_both_versions_of_itself(channel: grpc.aio.Channel, version: str) -> None:
    (answer,) = await ask(channel, about(list_services=""), version=version)
    names = [service.name for service in answer.list_services_response.service]
    assert names == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        SERVICE,
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_listed_service_is_found_with_all_that_it_needs(channel: grpc.aio.Channel, version: str) -> None:
    (answer,) = await ask(channel, about(list_services=""), version=version)
    for service in answer.list_services_response.service:
        (described,) = await ask(channel, about(file_containing_symbol=service.name), version=version)
        assert pool_of(files_in(described)).FindServiceByName(service.name).methods


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_name_of_the_contract_is_found(channel: grpc.aio.Channel, version: str) -> None:
    expected = symbols(whole_set().file)
    assert f"{SERVICE}.RunPlan" in expected
    answers = await ask(channel, *(about(file_containing_symbol=name) for name in expected), version=version)
    assert [files_in(answer)[0].name for answer in answers] == list(expected.values())


async def test_methods_and_messages_come_with_their_comments(channel: grpc.aio.Channel) -> None:
    (answer,) = await ask(channel, about(file_containing_symbol=f"{SERVICE}.RunPlan"))
    file = files_in(answer)[0]
    (service,) = file.service
    commented = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    for number, method in enumerate(service.method):
        assert commented[6, 0, 2, number].strip(), f"{method.name} has no comment"


def test_the_set_says_what_the_generated_code_says() -> None:
    files = [file for file in whole_set().file if file.name.startswith(OURS)]
    assert files
    for file in files:
        file.ClearField("source_code_info")
        module = import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
        generated = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        assert file == _without_json_names(generated, file)


def _without_json_names(generated: FileDescriptorProto, file: FileDescriptorProto) -> FileDescriptorProto:
    """Generated code leaves out the names in JSON, which follow from those of the fields; the set has them."""
    for message in file.message_type:
        _clear_json_names(message)
    for extension in file.extension:
        extension.ClearField("json_name")
    return generated


def _clear_json_names(message: DescriptorProto) -> None:
    for field in (*message.field, *message.extension):
        field.ClearField("json_name")
    for nested in message.nested_type:
        _clear_json_names(nested)


def test_the_set_has_the_details_of_refusals_and_needs_nothing_else() -> None:
    pool = pool_of(whole_set().file)
    assert pool.FindMessageTypeByName("google.rpc.BadRequest").full_name == "google.rpc.BadRequest"
    assert pool.FindServiceByName("grpc.health.v1.Health").methods_by_name["List"]
    for file in whole_set().file:
        assert pool.FindFileByName(file.name)


async def test_a_file_is_found_by_its_name(channel: grpc.aio.Channel) -> None:
    name = "google/rpc/error_details.proto"
    (answer,) = await ask(channel, about(file_by_filename=name))
    assert [file.name for file in files_in(answer)] == [name, "google/protobuf/duration.proto"]


async def test_an_extension_is_found_by_its_number(channel: grpc.aio.Channel) -> None:
    base = "google.protobuf.FieldOptions"
    (numbers,) = await ask(channel, about(all_extension_numbers_of_type=base))
    assert numbers.all_extension_numbers_response.base_type_name == base
    found = list(numbers.all_extension_numbers_response.extension_number)
    assert found
    assert found == sorted(found)
    extension = {"containing_type": base, "extension_number": found[0]}
    (answer,) = await ask(channel, about(file_containing_extension=extension))
    assert any(each.number == found[0] for each in files_in(answer)[0].extension)


async def test_a_type_without_extensions_has_none(channel: grpc.aio.Channel) -> None:
    (answer,) = await ask(channel, about(all_extension_numbers_of_type="google.rpc.BadRequest"))
    assert list(answer.all_extension_numbers_response.extension_number) == []


async def test_what_a_stream_has_brought_already_is_not_brought_again(channel: grpc.aio.Channel) -> None:
    symbol = about(file_containing_symbol=SERVICE)
    first, second = await ask(channel, symbol, symbol)
    assert len(files_in(first)) > 5
    assert [file.name for file in files_in(second)] == ["queueserver/worker/v1/worker_service.proto"]


@pytest.mark.parametrize(
    "what",
    [
        {"file_by_filename": "nothing.proto"},
        {"file_containing_symbol": "queueserver.manager.v1.StatusService.Nothing"},
        {"file_containing_symbol": "queueserver"},
        {"file_containing_symbol": ""},
        {"file_containing_extension": {"containing_type": "google.protobuf.FieldOptions", "extension_number": 1}},
        {"all_extension_numbers_of_type": "queueserver.manager.v1.Nothing"},
    ],
)
async def test_what_there_is_not_is_not_found_and_the_stream_goes_on(
    channel: grpc.aio.Channel, what: dict[str, Any]
) -> None:
    refused, listed = await ask(channel, about(**what), about(list_services=""))
    assert refused.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert next(iter(str(value) for value in what.values() if isinstance(value, str)), "FieldOptions") in (
        refused.error_response.error_message
    )
    assert refused.original_request == about(**what)
    assert listed.list_services_response.service


async def test_a_request_about_nothing_is_refused(channel: grpc.aio.Channel) -> None:
    (answer,) = await ask(channel, about(host="here"))
    assert answer.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answer.valid_host == "here"


@pytest.mark.parametrize(
    "data", [about(file_containing_symbol="x" * 5_000), about(file_containing_symbol="x" * 12_000_000), b"\xff\xff"]
)
async def test_a_request_that_is_too_long_or_no_request_ends_the_stream(channel: grpc.aio.Channel, data: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ask(channel, data)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details()
