"""Carries out orders to clear the lock that a person with access to Redis left there (``qserver-clear-lock``)."""

from __future__ import annotations

import asyncio

from queueserver_manager.domain.lock import locking
from queueserver_manager.domain.refusals.errors import NotReady, StorageUnavailable
from queueserver_manager.operations.commit.ledger import Ledger
from queueserver_manager.store.port import LockOrders


class LockOrderDesk:
    """Takes one order after another during one term. An order is settled in the commit that carries it out."""

    def __init__(self, ledger: Ledger, orders: LockOrders) -> None:
        self._ledger = ledger
        self._orders = orders
        #: What was ordered while no Manager was running is carried out.
        self.begun = asyncio.Event()

    async def run(self) -> None:
        """Carry out orders as they come, until cancelled."""
        for order in await self._orders.waiting():
            await self._carry_out(order)
        self.begun.set()
        while True:
            await self._carry_out(await self._orders.next())

    async def _carry_out(self, order: locking.ClearOrder) -> None:
        try:
            await self._ledger.submit(lambda record: locking.clear(record, order))
        except StorageUnavailable:
            # It is still there when Redis is back.
            await self._ledger.storage_back.wait()
        except NotReady:
            return
