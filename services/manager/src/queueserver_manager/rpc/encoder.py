"""What watchers get, serialized. The one Encoder of ``operations/watch/watch_streams.py``."""

from __future__ import annotations

from collections.abc import Sequence

from queueserver.common.v1 import console_pb2
from queueserver.manager.v1 import event_pb2 as pb
from queueserver_long_work.work import Work

from queueserver_manager.domain.events import Announcement, Kind
from queueserver_manager.operations.status import StatusFacts
from queueserver_manager.rpc.status_message import status_event_bytes
from queueserver_manager.wire.events import event_bytes

_KINDS: dict[Kind, pb.EventKind.ValueType] = {
    kind: pb.EventKind.Value(f"EVENT_KIND_{kind.name}") for kind in Kind if kind is not Kind.WORKER_ATTACHED
}


class ProtoEncoder:
    """Makes serialized WatchEvents."""

    def announcement(self, announcement: Announcement) -> Work[bytes]:
        """A durable event, as it is stored."""
        return event_bytes(announcement)

    def status(self, facts: StatusFacts) -> bytes:
        """A new status."""
        return status_event_bytes(facts)

    def log_line(self, line: str) -> bytes:
        """A line of the Manager's log, as text of the console."""
        event = pb.WatchEvent()
        event.time.GetCurrentTime()
        event.console.time.CopyFrom(event.time)
        event.console.stream = console_pb2.CONSOLE_STREAM_MANAGER
        event.console.text = line
        return event.SerializeToString()

    def gap(self, kinds: Sequence[Kind], omitted_bytes: int = 0) -> bytes:
        """Events of these kinds were lost, or one of so many bytes was left out."""
        gap = pb.EventGap(kinds=[_KINDS[kind] for kind in kinds], omitted_bytes=omitted_bytes)
        return pb.WatchEvent(gap=gap).SerializeToString()
