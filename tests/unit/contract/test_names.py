"""The names of the contract follow rules, so that who knows one message can guess the next."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from queueserver.common import v1 as common
from queueserver.manager import v1 as manager
from queueserver.worker import v1 as worker

#: Names of the event model, which has them from NumPy and JSON.
EVENT_MODEL = "queueserver/common/v1/document.proto"
#: Numbers that may grow beyond 32 bits: of changes, terms, events and entries of the history, and sizes in bytes.
LONG = ("revision", "epoch", "sequence", "number", "bytes")


def files() -> Iterator[FileDescriptor]:
    for package in (common, manager, worker):
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.endswith("_pb2"):
                yield importlib.import_module(f"{package.__name__}.{module.name}").DESCRIPTOR


def messages() -> Iterator[Descriptor]:
    for file in files():
        yield from file.message_types_by_name.values()


FIELDS = [(f"{message.full_name}.{field.name}", field) for message in messages() for field in message.fields]


def named(*types: int) -> list[tuple[str, FieldDescriptor]]:
    return [(name, field) for name, field in FIELDS if field.type in types]


def of_message(name: str) -> list[str]:
    return [path for path, field in FIELDS if field.message_type is not None and field.message_type.full_name == name]


def test_a_truth_value_is_named_by_what_is_true() -> None:
    assert [name for name, _ in named(FieldDescriptor.TYPE_BOOL) if "is" in name.rpartition(".")[2].split("_")] == []


def test_a_moment_is_a_time() -> None:
    moments = of_message("google.protobuf.Timestamp")
    assert len(moments) > 10
    assert [name for name in moments if name.rpartition(".")[2].rpartition("_")[2] != "time"] == []


def test_a_count_or_index_is_a_number_in_json_too() -> None:
    numbers = named(FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_SINT64)
    found = [
        name
        for name, field in numbers
        if field.file.name not in (EVENT_MODEL, "queueserver/common/v1/value.proto")
        and not name.endswith(LONG)
        and field.name != "scan_id"
    ]
    assert found == []


@pytest.mark.parametrize("file", list(files()), ids=lambda file: file.name)
def test_messages_stand_in_the_order_of_the_methods_that_use_them(file: FileDescriptor) -> None:
    place = {name: index for index, name in enumerate(file.message_types_by_name)}
    for service in file.services_by_name.values():
        used = [message for method in service.methods for message in (method.input_type, method.output_type)]
        here = [place[message.name] for message in used if message.file.name == file.name]
        assert here == sorted(here)
