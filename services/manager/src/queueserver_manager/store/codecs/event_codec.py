"""The log from which a watcher that was away catches up: events in the form in which watchers get them.

The events of one change are fields of a message: the number of the field is the kind of the event, its content the
serialized WatchEvent.
"""

from __future__ import annotations

from collections.abc import Sequence

from queueserver_long_work.work import Work

from queueserver_manager.domain.events import Announcement, Kind
from queueserver_manager.store.codecs.json_events import decode_json_events
from queueserver_manager.store.port import StoredEvent
from queueserver_manager.wire import framing
from queueserver_manager.wire.events import event_bytes

#: With this byte begins what an older release stored. As the tag of a field it would have another wire type.
_JSON = b"{"


def encode_events(announcements: Sequence[Announcement]) -> Work[bytes]:
    """The events of one change, as they are stored."""
    parts: list[bytes] = []
    for announcement in announcements:
        wire = yield from event_bytes(announcement)
        parts += (framing.head(announcement.kind, len(wire)), wire)
    return b"".join(parts)


def decode_events(revision: int, data: bytes) -> Work[list[StoredEvent]]:
    """The events of one change; those of an older release are encoded again."""
    if not data.startswith(_JSON):
        parts = enumerate(framing.parts_of(data))
        return [StoredEvent(revision, Kind(kind), wire, place) for place, (kind, wire) in parts]
    events = []
    for announcement in (yield from decode_json_events(revision, data)):
        wire = yield from event_bytes(announcement)
        events.append(StoredEvent(revision, announcement.kind, wire, announcement.place))
    return events
