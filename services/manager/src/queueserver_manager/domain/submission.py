"""What a client asks to be queued: an item without what the Manager adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from queueserver_manager.domain.item import ItemKind


@dataclass(frozen=True, slots=True)
class Submission:
    """A plan call or instruction. Absent parts are None and stay absent."""

    kind: ItemKind
    name: str
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    meta: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None
    #: The message it was taken from, for the adapter that made it.
    source: Any = field(default=None, compare=False, repr=False)
