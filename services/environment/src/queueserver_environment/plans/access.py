"""What the submitter of a request may use, as the Manager says it is now.

Reading the rules takes longer than checking them, and most requests come from the same few groups: rules read
recently are cached.
"""

from functools import lru_cache
from typing import Final

from queueserver.common.v1.permissions_pb2 import SubmitterAccess as AccessMessage
from queueserver_inventory.access import Access
from queueserver_inventory.messages import access_of

UNLIMITED: Final = Access.unlimited()
"""For requests that come without access."""
_REMEMBERED: Final = 32


def read_access(message: AccessMessage | None) -> Access:
    """Read what is allowed; everything if there is no message."""
    return UNLIMITED if message is None else _read(message.SerializeToString(deterministic=True))


@lru_cache(maxsize=_REMEMBERED)
def _read(serialized: bytes) -> Access:
    return access_of(AccessMessage.FromString(serialized))
