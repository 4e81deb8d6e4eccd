"""Warnings about items, as messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from queueserver.common.v1 import item_pb2
from queueserver_rpc.status import MAX_FIELD_BYTES, cut

from queueserver_manager.domain.queue.item import Item, ItemWarning


def warnings_to_proto(items: Iterable[Item]) -> Iterator[item_pb2.ItemWarning]:
    """The warnings about some items."""
    return (warning_to_proto(warning) for item in items for warning in item.warnings)


def warning_to_proto(warning: ItemWarning) -> item_pb2.ItemWarning:
    """A warning."""
    return item_pb2.ItemWarning(
        field=cut(warning.field, MAX_FIELD_BYTES),
        text=warning.text,
        message=warning.message,
        near_matches=warning.near_matches,
    )
