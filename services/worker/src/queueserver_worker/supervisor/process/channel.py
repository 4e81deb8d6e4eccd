"""The supervisor's end of the socket to the environment: frames in both directions.

Guarantees: nothing here blocks the loop; frames are passed on in order, each parsed once; what comes in is treated
as untrusted, so a frame that is too long or does not parse ends the conversation and is reported, once.
Does not guarantee that a frame that was sent is ever read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol

from google.protobuf.message import DecodeError
from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment, ToEnvironment

LENGTH = struct.Struct(">I")
MAX_FRAME_BYTES = 64 * 1024 * 1024 - 64 * 1024
"""Longest frame that is accepted: what it becomes, an event in a WatchEventsResponse, must fit gRPC's 64 MiB."""
_READ_BYTES = 256 * 1024
_DRAIN_READS = 64


class ChannelListener(Protocol):
    """A listener for the environment's frames. Called in the loop."""

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
        self._ended = False
        self._loop.add_reader(connection, self._read)

    def send(self, frame: ToEnvironment) -> None:
        """Send a frame; what the socket does not take now follows when it can. Does nothing after the end."""
        if self._ended:
            return
        payload = frame.SerializeToString()
        was_empty = not self._outgoing
        self._outgoing += LENGTH.pack(len(payload)) + payload
        if was_empty:
            self._write()

    def drain(self) -> None:
        """Handle now what the environment has sent so far."""
        # A socket buffers far less than that; the bound is for descendants of a dead environment that keep sending.
        for _ in range(_DRAIN_READS):
            if self._ended or not self._read():
                break

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
        while not self._ended and len(self._incoming) - position >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._incoming, position)
            if length > MAX_FRAME_BYTES:
                self._broken(f"sent a frame of {length} bytes, more than the {MAX_FRAME_BYTES} that are allowed")
                return
            begin, end = position + LENGTH.size, position + LENGTH.size + length
            if len(self._incoming) < end:
                break
            try:
                frame = FromEnvironment.FromString(bytes(memoryview(self._incoming)[begin:end]))
            except DecodeError:
                self._broken("sent a frame that can't be read")
                return
            position = end
            self._listener.frame_received(frame)
        del self._incoming[:position]

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
