"""A descriptor set in which files are found by what they define.

It keeps the files as bytes, and of their content only the names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    imports: tuple[str, ...]


class Descriptors:
    """Files of a descriptor set. A missing one raises KeyError with a description of what was looked for."""

    def __init__(self, data: bytes) -> None:
        # It loads some MB into memory, which a service whose clients don't ask for it does not need.
        from google.protobuf.descriptor_pb2 import FileDescriptorSet  # noqa: PLC0415

        self._files: dict[str, _File] = {}
        self._symbols: dict[str, str] = {}
        self._extensions: dict[tuple[str, int], str] = {}
        for file in FileDescriptorSet.FromString(data).file:
            self._files[file.name] = _File(file.SerializeToString(), tuple(file.dependency))
            self._symbols |= dict.fromkeys(_names(file), file.name)
            for extension in _extensions(file):
                self._extensions[extension.extendee.removeprefix("."), extension.number] = file.name

    @classmethod
    def read(cls, path: Path) -> Descriptors:
        """Those of a file."""
        return cls(path.read_bytes())

    def file(self, name: str) -> str:
        """The file with a name."""
        if name not in self._files:
            raise KeyError(f"file {name!r}")
        return name

    def file_of(self, symbol: str) -> str:
        """The file in which a symbol is defined: a service, method, message, field, enum, value or extension."""
        if symbol not in self._symbols:
            raise KeyError(f"symbol {symbol!r}")
        return self._symbols[symbol]

    def file_of_extension(self, extended: str, number: int) -> str:
        """The file in which the extension of a message with a number is defined."""
        if (extended, number) not in self._extensions:
            raise KeyError(f"extension {number} of {extended!r}")
        return self._extensions[extended, number]

    def extensions_of(self, extended: str) -> list[int]:
        """Numbers of the extensions of a message."""
        self.file_of(extended)
        return sorted(number for message, number in self._extensions if message == extended)

    def with_imports(self, name: str, brought: set[str]) -> list[bytes]:
        """A file, and what it imports, also indirectly, unless it was sent already; notes what it sends."""
        waiting, found = [name], []
        brought.discard(name)
        while waiting:
            each = waiting.pop(0)
            if each not in brought:
                brought.add(each)
                found.append(self._files[each].data)
                waiting += self._files[each].imports
        return found


def _names(file: Any) -> Iterator[str]:
    for message in file.message_type:
        yield from _names_in(file.package, message)
    yield from _enum_names(file.package, file)
    for extension in file.extension:
        yield f"{file.package}.{extension.name}"
    for service in file.service:
        yield f"{file.package}.{service.name}"
        for method in service.method:
            yield f"{file.package}.{service.name}.{method.name}"


def _names_in(scope: str, message: Any) -> Iterator[str]:
    name = f"{scope}.{message.name}"
    yield name
    for part in (*message.field, *message.oneof_decl, *message.extension):
        yield f"{name}.{part.name}"
    yield from _enum_names(name, message)
    for nested in message.nested_type:
        yield from _names_in(name, nested)


def _enum_names(scope: str, holder: Any) -> Iterator[str]:
    """Those of enums and of their values, which are named as if they stood beside their enum."""
    for enum in holder.enum_type:
        yield f"{scope}.{enum.name}"
        for value in enum.value:
            yield f"{scope}.{value.name}"


def _extensions(holder: Any) -> Iterator[Any]:
    yield from holder.extension
    nested = holder.message_type if hasattr(holder, "message_type") else holder.nested_type
    for message in nested:
        yield from _extensions(message)
