"""Planning: what is wrong with items, and what a plan would do, before anything moves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from queueserver.manager.v1 import planning_service_pb2 as pb

from queueserver_client import values
from queueserver_client.connection.connection import Connection
from queueserver_client.models.item_warnings import item_warnings
from queueserver_client.models.items import Item
from queueserver_client.models.planning import ItemVerdict, Simulation


class AsyncPlanning:
    """``client.planning``. Nothing is stored and nothing changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def validate(self, items: Iterable[Item]) -> Sequence[ItemVerdict]:
        """Check items as adding them would; one verdict for each, in order.

        When very many are wrong, the last of them come without details. Raises ValueNotRepresentable, BatchTooLarge.
        """
        request = pb.ValidateItemsRequest(items=[item.to_spec() for item in items])
        answer = await self._connection.read(self._connection.stubs.planning.ValidateItems, request)
        return [ItemVerdict.from_proto(verdict) for verdict in answer.verdicts]

    async def simulate(self, item: Item | str, *, message_limit: int = 0) -> Simulation:
        """Go through the messages of a plan without moving anything.

        Args:
            item: What to simulate, or the uid of an item in the queue.
            message_limit: Examine no more messages than this; 0 means the server's limit.

        Raises:
            EnvironmentClosed: there is no environment.
            ItemNotFound: no such item is in the queue.
            ItemInvalid, PlanNotFound: as adding it would.
            DeadlineExceeded: the environment does not answer.
        """
        request = pb.SimulateItemRequest(message_limit=values.size(message_limit, "message_limit"))
        if isinstance(item, Item):
            request.item.CopyFrom(item.to_spec())
        else:
            request.item_uid = values.text(item, "item")
        answer = await self._connection.read(self._connection.stubs.planning.SimulateItem, request)
        return Simulation.from_proto(answer.simulation, item_warnings(answer.warnings))
