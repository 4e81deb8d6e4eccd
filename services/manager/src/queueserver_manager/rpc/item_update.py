"""Which fields of an item a request for an update changes."""

from __future__ import annotations

from queueserver.common.v1.item_pb2 import ItemSpec
from queueserver.manager.v1.queue_items_pb2 import UpdateItemRequest

from queueserver_manager.domain.refusals.errors import FieldInvalid

_FIELDS = tuple(field.name for field in ItemSpec.DESCRIPTOR.fields)

_MOST_PATHS = 100


def fields_to_update(request: UpdateItemRequest) -> frozenset[str]:
    """Names of the fields of ItemSpec that are to be replaced. Raises FieldInvalid."""
    if not request.HasField("item"):
        raise FieldInvalid("item", "required: it says what the item is to be")
    if not request.HasField("update_mask"):
        given = frozenset(field.name for field, _ in request.item.ListFields())
        if not given:
            raise FieldInvalid("item", "sets no field: give what is to change, or name in update_mask what to remove")
        return given
    paths = request.update_mask.paths
    if not paths:
        raise FieldInvalid("update_mask", "names no field: leave it out, or give fields of item, or *")
    if len(paths) > _MOST_PATHS:
        raise FieldInvalid("update_mask", f"names {len(paths)} fields, and an item has {len(_FIELDS)}: name each once")
    for index, path in enumerate(paths):
        if path != "*" and path not in _FIELDS:
            raise FieldInvalid(
                f"update_mask.paths[{index}]",
                f"{path[:100]!r} can't be updated by itself: use * or {', '.join(_FIELDS)}",
            )
    return frozenset(_FIELDS) if "*" in paths else frozenset(paths)
