"""Makes docs/reference/methods.md, the table of all methods, from the options and comments in the contract."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)
from queueserver.common.v1 import error_reason_pb2, method_pb2

#: Where services are in a file, and methods in a service (FileDescriptorProto, ServiceDescriptorProto).
_SERVICE, _METHOD = 6, 2
_MANAGER, _WORKER = "queueserver.manager.v1", "queueserver.worker.v1"
_NONE = "–"  # noqa: RUF001 - as tables have it
_HEAD = """\
# Methods

All methods of the contract: what each does, which scope it needs, which lock it respects, its own reasons to refuse a
request, and the events that it may cause. The [protos](../../protos/queueserver/manager/v1) say exactly what a method
does, and have its fields and their bounds; [errors](errors.md) says what reasons mean, and what to do; [the public
surface](../decisions/0001-public-surface.md) says what is common to all methods.

- *Known as*: its name in the existing queue server.
- *Changes*: a method that changes something has a `request_id`, and refuses fields that the server does not know.
- *Lock*: E is the lock of the environment, Q that of the queue. Scopes are declared, but not enforced yet.
- *Reasons*: besides those that any method may have
  ({common}),
  and those of fields: `REQUEST_ID_REUSED` and `ANSWER_NOT_KEPT` of `request_id`, `REVISION_MISMATCH` of
  `expected_revision`, `LOCKED` of `lock_key`, `PAGE_TOKEN_INVALID` of `page_token`. For a method that takes a batch,
  they include those of single items in the detail BatchRefused.
- *Events*: members of `WatchEvent.event`. They may follow after the call has returned.

This page is made by `make proto`.
"""
#: Reasons that any method may have.
COMMON = (
    "FIELD_INVALID",
    "FIELD_UNKNOWN",
    "REQUEST_UNDECODABLE",
    "REQUEST_TOO_LARGE",
    "BATCH_TOO_LARGE",
    "NOT_OWNER",
    "NOT_READY",
    "SERVER_STOPPING",
    "STORAGE_UNAVAILABLE",
    "INTERRUPTED",
    "INTERNAL",
)
_LOCKS = {
    method_pb2.METHOD_LOCK_UNSPECIFIED: _NONE,
    method_pb2.METHOD_LOCK_ENVIRONMENT: "E",
    method_pb2.METHOD_LOCK_QUEUE: "Q",
    method_pb2.METHOD_LOCK_BOTH: "E and Q",
}


@dataclass(frozen=True)
class Method:
    """A method, as its row says."""

    name: str
    #: First sentence of its comment.
    does: str
    changes: bool
    rules: method_pb2.MethodRules

    def cells(self) -> dict[str, str]:
        """What the table says, by column."""
        rules = self.rules
        return {
            "method": f"`{self.name}`",
            "known as": _quoted(rules.known_as),
            "does": self.does,
            "changes": "yes" if self.changes else _NONE,
            "scope": _quoted(map(_scope, rules.scopes)),
            "lock": _LOCKS[rules.lock],
            "reasons": _quoted(_reason(reason) for reason in rules.reasons),
            "events": _quoted(rules.events),
        }


def main(descriptors: Path, target: Path) -> None:
    """Write the page from the descriptor set."""
    files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
    parts = [_HEAD.format(common=", ".join(f"`{reason}`" for reason in COMMON))]
    for file in files:
        if file.package == _MANAGER:
            parts += _sections(file, "", leave_out=())
    for file in files:
        if file.package == _WORKER:
            title = ": between Manager and Worker, with events of its own"
            parts += _sections(file, title, leave_out=("known as", "scope", "lock"))
    target.write_text("".join(parts), encoding="utf-8")


def _sections(file: FileDescriptorProto, title: str, leave_out: Sequence[str]) -> Iterator[str]:
    for index, service in enumerate(file.service):
        yield f"\n## {service.name}{title}\n\n{_comment(file, _SERVICE, index)}\n"
        for number, method in enumerate(service.method):
            cells = _method(file, index, number, method).cells()
            shown = {column: cell for column, cell in cells.items() if column not in leave_out}
            if not number:
                yield f"\n| {' | '.join(shown)} |\n|{'---|' * len(shown)}\n"
            yield f"| {' | '.join(shown.values())} |\n"


def _method(file: FileDescriptorProto, service: int, number: int, method: MethodDescriptorProto) -> Method:
    options: Any = method.options
    reads = options.idempotency_level == MethodOptions.NO_SIDE_EFFECTS
    does = _comment(file, _SERVICE, service, _METHOD, number).removeprefix(f"{method.name} ")
    return Method(method.name, does, not reads, options.Extensions[method_pb2.rules])


def _comment(file: FileDescriptorProto, *path: int) -> str:
    """First sentence of the comment at a place."""
    for place in file.source_code_info.location:
        if tuple(place.path) == path:
            paragraph = " ".join(place.leading_comments.partition("\n\n")[0].split())
            return f"{paragraph.partition('. ')[0].rstrip('.')}."
    raise ValueError(f"{file.name} has no comment at {path}")


def _scope(scope: method_pb2.Scope.ValueType) -> str:
    return method_pb2.Scope.Name(scope).removeprefix("SCOPE_").lower().replace("queue_", "queue:")


def _reason(reason: error_reason_pb2.ErrorReason.ValueType) -> str:
    return error_reason_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words) or _NONE


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
