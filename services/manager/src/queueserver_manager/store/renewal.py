"""Stays the owner: renews the lease again and again."""

from __future__ import annotations

from collections.abc import Callable

from queueserver_long_work.time_slice import next_turn_after
from redis.exceptions import RedisError

from queueserver_manager.domain.storage import Fault
from queueserver_manager.store.faults import fault_of
from queueserver_manager.store.lease import RENEWAL_SECONDS, RETRY_SECONDS, Lease
from queueserver_manager.store.port import OwnershipLost


async def renew(
    lease: Lease, epoch: int, stored_revision: Callable[[], int], tell: Callable[[Fault | None], None]
) -> None:
    """Stay the owner, and report each time what is wrong with Redis, or None. Raises OwnershipLost."""
    fault: Fault | None = None
    while True:
        await next_turn_after(RENEWAL_SECONDS if fault is None else RETRY_SECONDS)
        try:
            still_ours = await lease.renew(epoch, stored_revision())
        except (RedisError, OSError) as error:
            fault = fault_of(error)
        else:
            fault = None
            if not still_ours:
                raise OwnershipLost
        tell(fault)
