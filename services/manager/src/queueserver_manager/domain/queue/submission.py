"""What a client asks to be queued: an item without what the Manager adds."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from queueserver_manager.domain.queue.item import Item, ItemKind


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

    def over(self, item: Item, fields: AbstractSet[str]) -> Submission:
        """What an item is to be when some fields are replaced by those given here, and the others stay."""
        return Submission(
            kind=self.kind if "item_type" in fields else item.kind,
            name=self.name if "name" in fields else item.name,
            args=self.args if "args" in fields else item.args,
            kwargs=self.kwargs if "kwargs" in fields else item.kwargs,
            meta=self.meta if "meta" in fields else item.meta,
            properties=self.properties if "properties" in fields else item.properties,
        )
