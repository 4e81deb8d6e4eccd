"""List plans and devices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from queueserver_manager.domain.errors import InventoryChanged
from queueserver_manager.domain.inventory import Device, Plan
from queueserver_manager.domain.record import Record
from queueserver_manager.operations.ledger import Ledger
from queueserver_manager.operations.listing import numbers_of_token


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """Part of a list: descriptions as the Worker sent them; ``next_token`` is empty on the last one."""

    descriptions: Sequence[bytes]
    next_token: str
    revision: int


class InventoryOperations:
    """What clients may ask about plans and devices."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def plans(self, size: int, token: str, *, existing: bool) -> InventoryPage:
        """One page of plans. Raises PageTokenInvalid, InventoryChanged."""
        return await self._page(
            lambda record: (record.inventory.plans, record.revisions.plans), size, token, existing=existing
        )

    async def devices(self, size: int, token: str, *, existing: bool) -> InventoryPage:
        """One page of devices. Raises PageTokenInvalid, InventoryChanged."""
        return await self._page(
            lambda record: (record.inventory.devices, record.revisions.devices), size, token, existing=existing
        )

    async def _page(
        self,
        select: Callable[[Record], tuple[Mapping[str, Plan] | Mapping[str, Device], int]],
        size: int,
        token: str,
        *,
        existing: bool,
    ) -> InventoryPage:
        described, revision = await self._ledger.read(select)
        offset = _offset(token, revision)
        offered = [thing.wire for name, thing in _items(described) if existing or not name.startswith("_")]
        end = offset + size
        return InventoryPage(offered[offset:end], f"{revision}-{end}" if end < len(offered) else "", revision)


def _items(described: Mapping[str, Plan] | Mapping[str, Device]) -> Iterable[tuple[str, Plan | Device]]:
    return described.items()


def _offset(token: str, revision: int) -> int:
    if not token:
        return 0
    at, offset = numbers_of_token(token, 2)
    if at != revision:
        raise InventoryChanged
    return offset
