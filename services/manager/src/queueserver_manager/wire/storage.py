"""A storage place, as a message."""

from __future__ import annotations

from queueserver.common.v1 import storage_pb2 as pb

from queueserver_manager.domain.storage import Storage, StorageState
from queueserver_manager.wire.items import set_time

_STATES = {state: pb.StorageState.Value(f"STORAGE_STATE_{state.name}") for state in StorageState}
_KNOWN = {state.value: state for state in StorageState}


def storage_to_proto(storage: Storage) -> pb.StorageStatus:
    """The message."""
    message = pb.StorageStatus(
        state=_STATES[storage.state],
        message=storage.message,
        location=storage.location,
        free_bytes=storage.free_bytes,
        needed_bytes=storage.needed_bytes,
    )
    if storage.since is not None:
        set_time(message.start_time, storage.since)
    return message


def storage_from_proto(message: pb.StorageStatus) -> Storage:
    """From the message. A Worker that does not report has no trouble; a state that only a newer one knows is one."""
    told = message.state != pb.STORAGE_STATE_UNSPECIFIED
    return Storage(
        state=_KNOWN.get(message.state, StorageState.DISK_ERROR) if told else StorageState.OK,
        message=message.message,
        since=message.start_time.seconds + message.start_time.nanos / 1e9 if message.HasField("start_time") else None,
        location=message.location,
        free_bytes=message.free_bytes if message.HasField("free_bytes") else None,
        needed_bytes=message.needed_bytes if message.HasField("needed_bytes") else None,
    )
