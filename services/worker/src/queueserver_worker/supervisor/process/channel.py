"""The supervisor's end of the socket to the environment: frames in both directions.

Guarantees: nothing here blocks the loop: a long frame is decoded, and a report completed, in a thread, and nothing more
is read meanwhile; frames are passed on in order, each decoded once; what comes in is treated as untrusted, so a frame
that is too long or can't be read, and another version of the frames, end the conversation and are reported, once.
Does not guarantee that a frame that was sent is ever read.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from typing import Protocol

from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, ToEnvironment

from queueserver_worker.supervisor.frames.decoding import decode
from queueserver_worker.supervisor.frames.encoding import encode
from queueserver_worker.supervisor.frames.packed import CHANNEL_VERSION, BadFrameError

LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 64 * 1024 * 1024 - 64 * 1024
"""Longest frame that is accepted: what it becomes, an event in a WatchEventsResponse, must fit gRPC's 64 MiB."""
LONG_FRAME_BYTES = 32 * 1024
"""A longer frame is decoded in a thread: it may take more than some milliseconds."""
_READ_BYTES = 64 * 1024
"""What may come at once is handled in some milliseconds."""
_DRAIN_READS = 256


class ChannelListener(Protocol):
    """A listener for the environment's frames. Called in the loop."""

    def is_report(self, frame: FromEnvironment) -> bool:
        """Whether a frame is to be completed before it is passed on."""

    def complete(self, frame: FromEnvironment) -> None:
        """Complete a frame, which may take long. Called in a thread; must not raise."""

    def frame_received(self, frame: FromEnvironment) -> None:
        """A frame arrived."""

    def channel_closed(self) -> None:
        """The other end was closed: nothing more will come."""

    def channel_broken(self, problem: str) -> None:
        """What came can't be accepted, and no more is read. `problem` completes "The environment process …"."""


class Channel:
    """One end of a connected stream socket, which it owns from now on."""

    def __init__(self, connection: socket.socket, listener: ChannelListener) -> None:
        connection.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._listener = listener
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._chunk = memoryview(bytearray(_READ_BYTES))
        self._greeted = False
        #: A thread has a frame.
        self._decoding = False
        self._ended = False
        #: What is called when everything was passed on; the socket is not read by the loop any more.
        self._when_finished: Callable[[], None] | None = None
        self._reads_left = _DRAIN_READS
        self._loop.add_reader(connection, self._read)

    def send(self, frame: ToEnvironment) -> None:
        """Send a frame; what the socket does not take now follows when it can. Does nothing after the end."""
        if self._ended:
            return
        payload = encode(frame)
        was_empty = not self._outgoing
        self._outgoing += LENGTH.pack(len(payload)) + payload
        if was_empty:
            self._write()

    def finish(self, when_finished: Callable[[], None]) -> None:
        """Pass on what the environment has sent so far, close, and then call that: at once, or after a long frame."""
        self._when_finished = when_finished
        if not self._ended:
            self._loop.remove_reader(self._connection)
        if not self._decoding:
            self._drain()

    def _drain(self) -> None:
        # A socket buffers far less; the bound is for descendants of a dead environment that keep sending.
        while not self._ended and not self._decoding and self._reads_left and self._read():
            self._reads_left -= 1
        if self._decoding:
            return
        self.close()
        when_finished, self._when_finished = self._when_finished, None
        if when_finished is not None:
            when_finished()

    def close(self) -> None:
        """End the conversation from this side; the listener is not called any more."""
        if self._ended:
            return
        self._ended = True
        self._loop.remove_reader(self._connection)
        self._loop.remove_writer(self._connection)
        self._connection.close()
        self._incoming.clear()
        self._outgoing.clear()

    def _read(self) -> bool:
        """Handle one chunk, so that a busy environment leaves the loop to others. Returns whether there was one."""
        try:
            count = self._connection.recv_into(self._chunk)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            count = 0
        if count == 0:
            self.close()
            self._listener.channel_closed()
            return False
        self._incoming += self._chunk[:count]
        self._parse()
        return True

    def _parse(self) -> None:
        position = 0
        while not self._ended and not self._decoding and len(self._incoming) - position >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._incoming, position)
            if length > MAX_FRAME_BYTES:
                self._broken(f"sent a frame of {length} bytes, more than the {MAX_FRAME_BYTES} that are allowed")
                return
            begin, end = position + LENGTH.size, position + LENGTH.size + length
            if len(self._incoming) < end:
                break
            payload = bytes(memoryview(self._incoming)[begin:end])
            position = end
            self._handle(payload)
        del self._incoming[:position]

    def _handle(self, payload: bytes) -> None:
        """Decode and take a frame, in a thread if that may take long."""
        if len(payload) > LONG_FRAME_BYTES:
            self._in_thread(lambda: self._completed(_decoded(payload)))
            return
        decoded = _decoded(payload)
        if self._needs_completion(decoded):
            self._in_thread(lambda: self._completed(decoded))
        else:
            self._take(decoded)

    def _needs_completion(self, decoded: FromEnvironment | BadFrameError) -> bool:
        return not isinstance(decoded, BadFrameError) and self._greeted and self._listener.is_report(decoded)

    def _completed(self, decoded: FromEnvironment | BadFrameError) -> FromEnvironment | BadFrameError:
        if not isinstance(decoded, BadFrameError) and self._needs_completion(decoded):
            self._listener.complete(decoded)
        return decoded

    def _in_thread(self, make: Callable[[], FromEnvironment | BadFrameError]) -> None:
        """Make a frame beside the loop, and take it; at once if there are too many threads."""

        def work() -> None:
            decoded = make()
            # The loop is closed already when the service ended meanwhile.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._go_on, decoded)

        try:
            threading.Thread(target=work, name="long-frame", daemon=True).start()
        except RuntimeError:
            self._take(make())
            return
        self._decoding = True
        self._loop.remove_reader(self._connection)

    def _go_on(self, decoded: FromEnvironment | BadFrameError) -> None:
        """Take the long frame, and what came after it."""
        self._decoding = False
        if not self._ended:
            self._take(decoded)
            self._parse()
        if self._when_finished is not None and not self._decoding:
            self._drain()
        elif not self._ended and not self._decoding:
            self._loop.add_reader(self._connection, self._read)

    def _take(self, decoded: FromEnvironment | BadFrameError) -> None:
        if isinstance(decoded, BadFrameError):
            self._broken(f"sent a frame that can't be read ({decoded})")
        elif self._greeted:
            self._listener.frame_received(decoded)
        elif decoded.hello.channel_version != CHANNEL_VERSION:
            version = f"version {decoded.hello.channel_version}" if decoded.HasField("hello") else "an unknown version"
            self._broken(
                f"speaks {version} of the channel and the Worker version {CHANNEL_VERSION} "
                "(install both from the same release)"
            )
        else:
            self._greeted = True

    def _write(self) -> None:
        try:
            sent = self._connection.send(self._outgoing)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:
            # The other end is gone; reading tells the listener, and there is no one to send to.
            self._outgoing.clear()
            self._loop.remove_writer(self._connection)
            return
        del self._outgoing[:sent]
        if self._outgoing:
            self._loop.add_writer(self._connection, self._write)
        else:
            self._loop.remove_writer(self._connection)

    def _broken(self, problem: str) -> None:
        self.close()
        self._listener.channel_broken(problem)


def _decoded(payload: bytes) -> FromEnvironment | BadFrameError:
    try:
        return decode(payload)
    except BadFrameError as error:
        return error
