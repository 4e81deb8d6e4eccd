"""A socket in the place of systemd's: receives what a service tells, from its main process alone."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

from tests.harness.process import START_SECONDS, ProcessError

_CREDENTIALS = struct.Struct("iii")


class ServiceManager:
    """What systemd would see of a service that is started with `variables`."""

    def __init__(self, directory: Path, watchdog_seconds: float = 0.2) -> None:
        """``directory`` must be short."""
        path = directory / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(path))
        #: What systemd would set for the service.
        self.variables = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(watchdog_seconds * 1e6))}
        #: Everything that was told so far.
        self.lines: list[str] = []
        self._seen = 0
        #: The processes that told it.
        self.senders: set[int] = set()

    def wait_for(self, beginning: str, within: float = START_SECONDS) -> str:
        """Wait for a line with this beginning, behind the one that was waited for last, and return it."""
        deadline = time.monotonic() + within
        while True:
            for position in range(self._seen, len(self.lines)):
                if self.lines[position].startswith(beginning):
                    self._seen = position + 1
                    return self.lines[position]
            self._seen = len(self.lines)
            self._receive(deadline, beginning)

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()

    def _receive(self, deadline: float, wanted: str) -> None:
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            message, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        except TimeoutError:
            raise ProcessError(f"no {wanted} was told in time; this was: {self.lines[-20:]}") from None
        ((_, _, credentials),) = ancillary
        self.senders.add(_CREDENTIALS.unpack(credentials)[0])
        self.lines += message.decode().splitlines()
