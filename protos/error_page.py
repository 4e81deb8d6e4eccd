"""Makes docs/reference/errors.md from the comments of the contract's enum ErrorReason."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2
from grpc_tools import protoc
from queueserver.common.v1 import error_reason_pb2

HERE = Path(__file__).parent
_SOURCE = "queueserver/common/v1/error_reason.proto"
_PREFIX = "ERROR_REASON_"
#: Where comments of enums are in a file, and those of the values in an enum (FileDescriptorProto, EnumDescriptorProto).
_ENUM, _VALUE = 5, 2
_HEAD = """\
# Errors

Every refusal has a gRPC status code, one sentence for people that says what to do, and `google.rpc.ErrorInfo` with the
domain `qserver` and one of the reasons below. Programs decide by the reason, or by the code if they don't know the
reason. A reason has the same code in every method. The comment of each method in the contract lists its reasons.

A refused request has changed nothing, unless the table says otherwise. `google.rpc.BadRequest` names the wrong fields,
`google.rpc.RetryInfo` says when a retry may help, and
[error_details.proto](../../protos/queueserver/manager/v1/error_details.proto) has typed details.

This page is made from [error_reason.proto](../../protos/queueserver/common/v1/error_reason.proto) by `make proto`.
"""


@dataclass(frozen=True)
class Entry:
    """One reason: its name, its status code, when it happens and what to do."""

    name: str
    code: str
    when: str
    remedy: str


def main(target: Path) -> int:
    """Write the page; returns the exit code of the compiler."""
    by_code: dict[str, list[Entry]] = {}
    for entry in _entries():
        by_code.setdefault(entry.code, []).append(entry)
    parts = [_HEAD]
    for code, entries in by_code.items():
        parts.append(f"\n## {code}\n\n| reason | when | what to do |\n|---|---|---|\n")
        parts += [f"| `{entry.name}` | {entry.when} | {entry.remedy} |\n" for entry in entries]
    target.write_text("".join(parts), encoding="utf-8")
    return 0


def _entries() -> Iterator[Entry]:
    file = _compiled()
    (enum,) = file.enum_type
    comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
    for index, value in enumerate(enum.value):
        if not value.number:
            continue
        when, remedy = (" ".join(part.split()) for part in comments[_ENUM, 0, _VALUE, index].split("\n\n"))
        yield Entry(
            value.name.removeprefix(_PREFIX), value.options.Extensions[error_reason_pb2.status_code], when, remedy
        )


def _compiled() -> descriptor_pb2.FileDescriptorProto:
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory) / "reasons.binpb"
        roots = (HERE, Path(grpc_tools.__path__[0]) / "_proto")
        arguments = ("--include_source_info", f"--descriptor_set_out={made}", _SOURCE)
        if protoc.main(["protoc", *(f"-I{root}" for root in roots), *arguments]):
            raise SystemExit(1)
        (file,) = descriptor_pb2.FileDescriptorSet.FromString(made.read_bytes()).file
        return file


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
