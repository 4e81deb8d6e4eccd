"""Makes the descriptor set: the whole contract with its comments, in one file, for reflection and `grpcurl -protoset`.

It holds what the contract imports, the details that a refusal may carry, health and reflection too: with nothing but
this file a client can call every method of our services and read every answer. The same sources make the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import google.rpc
import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from grpc_tools import protoc

HERE = Path(__file__).parent
#: Where sources are looked for: ours, those of protobuf, those of Google's details of errors.
_ROOTS = (HERE, Path(grpc_tools.__path__[0]) / "_proto", Path(google.rpc.__path__[0]).parents[1])
_DETAILS = "google/rpc/error_details.proto"


def main(target: Path) -> int:
    """Write the descriptor set; returns the exit code of the compiler."""
    sources = sorted(str(path.relative_to(HERE)) for path in HERE.glob("queueserver/**/*.proto"))
    code = protoc.main(
        [
            "protoc",
            *(f"-I{root}" for root in _ROOTS),
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={target}",
            *(*sources, _DETAILS),
        ]
    )
    if code == 0:
        made = FileDescriptorSet.FromString(target.read_bytes())
        made.file.extend(_files_of_grpc())
        target.write_bytes(made.SerializeToString(deterministic=True))
    return int(code)


def _files_of_grpc() -> list[FileDescriptorProto]:
    """Health and both versions of reflection. The packages bring no sources, so these have no comments.

    Reflection v1 has the messages of v1alpha under another name; grpcio knows v1alpha alone.
    """
    health, alpha, stable = FileDescriptorProto(), FileDescriptorProto(), FileDescriptorProto()
    health_pb2.DESCRIPTOR.CopyToProto(health)
    reflection_pb2.DESCRIPTOR.CopyToProto(alpha)
    stable.CopyFrom(alpha)
    stable.name = "grpc/reflection/v1/reflection.proto"
    stable.package = "grpc.reflection.v1"
    for message in stable.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = _in_v1(field.type_name)
    for method in stable.service[0].method:
        method.input_type, method.output_type = _in_v1(method.input_type), _in_v1(method.output_type)
    return [health, alpha, stable]


def _in_v1(name: str) -> str:
    return name.replace(".grpc.reflection.v1alpha.", ".grpc.reflection.v1.")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
