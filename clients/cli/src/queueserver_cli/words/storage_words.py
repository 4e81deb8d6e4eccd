"""What is wrong with places where data is stored, as lines of words."""

from __future__ import annotations

from queueserver_client import Status


def storage_words(status: Status) -> list[str]:
    """A sentence for Redis and one for the Worker's directory; none for what is well."""
    return [place.message for place in (status.redis_storage, status.worker_storage) if place.message]
