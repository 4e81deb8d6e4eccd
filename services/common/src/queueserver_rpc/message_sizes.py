"""How long the messages are that services send.

Whatever consists of many parts, a page, a part of a snapshot, a batch of events, is sent in messages that end at about
:data:`PART_BYTES`, so that every client can read all of it, and nobody waits long for a message to be put together.
A single part that is longer is a message by itself.
"""

from __future__ import annotations

from typing import Final

#: A message ends before the part that would make it longer than this, unless that is its first one.
PART_BYTES: Final = 1024 * 1024
#: What would be one long event is told in several ones of about so many bytes, unless it is about one thing.
EVENT_BYTES: Final = PART_BYTES // 4
#: What a gRPC client takes that is told nothing.
DEFAULT_MESSAGE_BYTES: Final = 4 * 1024 * 1024
#: Longest message that is sent at all: between Worker and Manager, and to a client that says that it takes so much.
MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
