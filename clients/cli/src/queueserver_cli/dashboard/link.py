"""Whether the server is there, and the time of what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

#: The server sends something every 10 seconds at least.
QUIET_SECONDS = 12.0


class Standing(Enum):
    """State of the connection."""

    CONNECTED = "connected"
    #: It seems to work, but the server should have sent something by now.
    QUIET = "quiet"
    LOST = "lost"


@dataclass
class Link:
    """What is known about the connection. Times are those of this machine."""

    address: str
    #: When the server last sent something.
    last_sign: datetime
    #: Why it is lost; empty while it works.
    lost_because: str = ""
    #: By how much the server's clock is ahead of ours.
    ahead: timedelta | None = None

    def alive(self, now: datetime) -> None:
        """The server has sent something."""
        self.last_sign, self.lost_because = now, ""

    def lost(self, why: str) -> None:
        """The connection is gone."""
        self.lost_because = why

    def told_time(self, server_time: datetime, now: datetime) -> None:
        """Something carried the server's time. It was on its way for some time: the fastest one counts."""
        ahead = server_time - now
        self.ahead = ahead if self.ahead is None else max(ahead, self.ahead)

    def standing(self, now: datetime) -> Standing:
        """State of the connection."""
        if self.lost_because:
            return Standing.LOST
        return Standing.QUIET if self.silence(now) > QUIET_SECONDS else Standing.CONNECTED

    def silence(self, now: datetime) -> float:
        """Seconds since the last message."""
        return max((now - self.last_sign).total_seconds(), 0.0)

    def shown_time(self, now: datetime) -> datetime:
        """The server's time of what is known: without a connection, its clock stands still."""
        here = now if self.standing(now) is Standing.CONNECTED else self.last_sign
        return here + (self.ahead or timedelta())
