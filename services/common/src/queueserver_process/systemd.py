"""What a service tells systemd: that it is ready, what it waits for, that its event loop runs, that it ends.

The protocol is that of sd_notify(3): datagrams with lines ``NAME=value`` to the socket in ``NOTIFY_SOCKET``. Without
that variable nothing is sent. The variables are removed from the environment when a `SystemdNotifier` is made, so that
no child, and least of all startup code, speaks for the service.

Guarantees: nothing here blocks or raises. What can't be sent, because systemd does not read at that moment, is sent
with the next message. The library systemd-watchdog (1.0.1) does not guarantee that: it blocks, raises when the socket
is gone, and leaves the variables to children.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import socket
from collections.abc import Callable

#: The variables of the protocol, which no child may inherit.
SYSTEMD_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_MAX_STATUS = 500


class SystemdNotifier:
    """Tells systemd about this process, if systemd asked for it. Its methods are called in one thread."""

    def __init__(self) -> None:
        """Take the variables out of the environment. Make one for each process, before it starts any child."""
        address, microseconds, process = (os.environ.pop(name, "") for name in SYSTEMD_VARIABLES)
        #: A name in the abstract namespace is written with an @ in place of the zero byte.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        ours = process in ("", str(os.getpid()))
        self._watchdog = int(microseconds) if ours and microseconds.isdigit() else 0
        self._is_ready = False
        self._status = ""
        self._unsent: dict[str, str] = {}

    def ready(self, text: str) -> None:
        """The service serves; ``text`` is its status from now on."""
        self._is_ready = True
        self._status = one_line(text)
        self._send(READY="1", STATUS=self._status)

    def status(self, text: str) -> None:
        """Tell what the service does or waits for, which ``systemctl status`` shows. Sent only if it is news."""
        line = one_line(text)
        if line != self._status:
            self._status = line
            self._send(STATUS=line)

    def stopping(self, text: str) -> None:
        """The service ends."""
        self._status = one_line(text)
        self._send(STOPPING="1", STATUS=self._status)

    def feed_watchdog(self, is_well: Callable[[], bool] = lambda: True) -> None:
        """From now on, tell twice in each interval of the watchdog that the running event loop runs.

        It is left out while ``is_well`` returns False. Until the service is ready, each message also extends the time
        that it has to start: waiting for another service is no failure, a loop that hangs is one. When systemd aborts
        the process, a traceback of all threads goes to standard error.
        """
        if self._watchdog and self._address:
            faulthandler.enable()
            self._feed(asyncio.get_running_loop(), is_well)

    def _feed(self, loop: asyncio.AbstractEventLoop, is_well: Callable[[], bool]) -> None:
        if is_well():
            extension = {} if self._is_ready else {"EXTEND_TIMEOUT_USEC": str(self._watchdog)}
            self._send(WATCHDOG="1", **extension)
        loop.call_later(self._watchdog / 2_000_000, self._feed, loop, is_well)

    def _send(self, **values: str) -> None:
        if not self._address:
            return
        self._unsent.update(values)
        message = "\n".join(f"{name}={value}" for name, value in self._unsent.items())
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(message.encode(errors="replace"), self._address)
            self._unsent.clear()


def one_line(text: str) -> str:
    """A text as the one line that a status is, cut at a bound."""
    return " ".join(text.split())[:_MAX_STATUS]
