"""How long the messages are that services send.

Everything that consists of many parts, a page, a part of a snapshot, a batch of events, is sent in messages that end at
about :data:`PART_BYTES`, so that every client can read all of it, and building a message never blocks other clients.
A single part that is longer is a message by itself.
"""

from __future__ import annotations

from typing import Final

#: A message ends before the part that would make it longer than this, unless that is its first one.
PART_BYTES: Final = 1024 * 1024
#: An event that would be longer is sent as several ones of about this many bytes, unless it is about one thing.
EVENT_BYTES: Final = PART_BYTES // 4
#: What a gRPC client accepts by default.
DEFAULT_MESSAGE_BYTES: Final = 4 * 1024 * 1024
#: Longest message that is sent at all: between Worker and Manager, and to a client that says that it accepts it.
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
