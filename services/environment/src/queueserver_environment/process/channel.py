"""The socket to the supervisor: frames in both directions, one thread for each.

Guarantees: the first frame says the version of the frames. Frames leave in the order of `send`; none is dropped. A
frame that the socket has room for is in it when `send` returns, so it arrives even if the process dies in the next
moment. What waits to be sent is bounded, and a thread that wants to send more waits until there is room: a supervisor
that can't keep up slows the plan down instead of losing its data. A heartbeat is sent every second as long as the
interpreter runs. A process that user code forks has no part in it: what it sends goes nowhere, and the socket ends
with the environment.
Does not guarantee that the supervisor has read a frame.
"""

import os
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from queueserver_environment.messages.frames import (
    EnvironmentHeartbeat,
    EnvironmentHello,
    FromEnvironment,
    ToEnvironment,
)
from queueserver_environment.process.frames import (
    CHANNEL_VERSION,
    CONTAINER_VALUES,
    MAX_VALUES,
    count_values,
    decode,
    encode,
)
from queueserver_environment.process.orphaned import stop_at_once

_LENGTH: Final = struct.Struct(">I")
MAX_FRAME_BYTES: Final = 48 * 1024 * 1024
"""Longest frame that is sent: its content has to fit into one gRPC message on its way to the clients."""
MAX_PENDING_BYTES: Final = 16 * 1024 * 1024
"""Bytes that may wait to be sent; a single longer frame is still sent, alone."""
_FEW_BYTES: Final = MAX_VALUES // (1 + CONTAINER_VALUES)
"""So few bytes have no more values: each takes a byte."""
HEARTBEAT_SECONDS: Final = 1.0


class Channel:
    """Both directions of the socket.

    Parameters
    ----------
    connection
        The inherited end of the socket pair.
    on_frame
        Called in the reader thread with each frame from the supervisor; must not block.

    """

    def __init__(self, connection: socket.socket, on_frame: Callable[[ToEnvironment], None]) -> None:
        connection.set_inheritable(False)
        self._connection = connection
        self._on_frame = on_frame
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._sending = False
        self._closing = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write, name="channel-writer", daemon=True)
        self._reader = threading.Thread(target=self._read, name="channel-reader", daemon=True)
        self._abandoned = False
        os.register_at_fork(after_in_child=self._abandon)

    def start(self) -> None:
        """Say the version of the frames, and start both threads."""
        self.send(FromEnvironment(hello=EnvironmentHello(channel_version=CHANNEL_VERSION)))
        self._writer.start()
        self._reader.start()

    def send(self, frame: FromEnvironment) -> None:
        """Queue a frame; wait for room if too much is waiting already. Safe from every thread.

        Raises
        ------
        FrameTooLargeError
            The frame is longer than MAX_FRAME_BYTES, or has more than MAX_VALUES values; nothing was queued.
        TypeError, ValueError
            The frame contains what the channel does not carry; nothing was queued.

        """
        if self._abandoned:
            return
        payload = encode(frame)
        if len(payload) > MAX_FRAME_BYTES:
            raise FrameTooLargeError(
                f"the frame has {len(payload)} bytes, the channel carries at most {MAX_FRAME_BYTES}"
            )
        if len(payload) > _FEW_BYTES and (count := count_values(frame)) > MAX_VALUES:
            raise FrameTooLargeError(f"the frame has {count} values, the channel carries at most {MAX_VALUES}")
        data = _LENGTH.pack(len(payload)) + payload
        with self._changed:
            if not self._pending and not self._sending:
                data = data[self._send_now(data) :]
                if not data:
                    return
            while self._pending and self._pending_bytes + len(data) > MAX_PENDING_BYTES:
                self._changed.wait()
            self._append(data)
            self._changed.notify_all()

    def close(self, timeout: float) -> None:
        """Send what is waiting, for at most `timeout` seconds, and stop the writer."""
        if self._abandoned:
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._writer.join(timeout)

    def _abandon(self) -> None:
        self._abandoned = True
        self._connection.close()

    def _send_now(self, data: bytes) -> int:
        """Send what the socket has room for; returns how many bytes."""
        try:
            return self._connection.send(data, socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            stop_at_once()

    def _append(self, data: bytes) -> None:
        self._pending.append(data)
        self._pending_bytes += len(data)

    def _take(self, next_beat: float) -> tuple[bytes, bool]:
        """Wait for frames or for the next heartbeat; return the bytes to send and whether it was the last."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._pending or self._closing, timeout=max(0.0, next_beat - time.monotonic())
            )
            if time.monotonic() >= next_beat:
                self._append(_HEARTBEAT)
            frames = b"".join(self._pending)
            self._pending.clear()
            self._pending_bytes = 0
            self._sending = bool(frames)
            self._changed.notify_all()
            return frames, self._closing

    def _write(self) -> None:
        next_beat = time.monotonic() + HEARTBEAT_SECONDS
        last = False
        while not last:
            frames, last = self._take(next_beat)
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + HEARTBEAT_SECONDS
            try:
                self._connection.sendall(frames)
            except OSError:
                stop_at_once()
            with self._changed:
                self._sending = False

    def _read(self) -> None:
        try:
            while True:
                (length,) = _LENGTH.unpack(self._receive(_LENGTH.size))
                self._on_frame(decode(self._receive(length)))
        except Exception:  # noqa: BLE001 - end of file, a reset or a frame that is none: no supervisor any more
            stop_at_once()

    def _receive(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)


class FrameTooLargeError(ValueError):
    """A frame is longer than the channel carries; the message says how much."""


_HEARTBEAT_PAYLOAD: Final = encode(FromEnvironment(heartbeat=EnvironmentHeartbeat()))
_HEARTBEAT: Final = _LENGTH.pack(len(_HEARTBEAT_PAYLOAD)) + _HEARTBEAT_PAYLOAD
