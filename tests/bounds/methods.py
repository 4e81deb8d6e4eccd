"""Every method of every service that clients may call, found in the contract itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import queueserver.manager.v1 as contract
from google.protobuf.message_factory import GetMessageClass


@dataclass(frozen=True)
class Method:
    """A method of a service of the contract."""

    service: str
    name: str
    is_stream: bool
    request: Any
    response: Any

    @property
    def path(self) -> str:
        """As gRPC calls it."""
        return f"/{self.service}/{self.name}"

    def __str__(self) -> str:
        return f"{self.service.rpartition('.')[2]}.{self.name}"


def _methods() -> Iterator[Method]:
    for module in pkgutil.iter_modules(contract.__path__):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(f"{contract.__name__}.{module.name}").DESCRIPTOR
            for service in file.services_by_name.values():
                for method in service.methods:
                    yield Method(
                        service.full_name,
                        method.name,
                        method.server_streaming,
                        GetMessageClass(method.input_type),
                        GetMessageClass(method.output_type),
                    )


#: What empties things comes last.
METHODS = sorted(_methods(), key=lambda method: (method.name.startswith("Clear"), str(method)))
