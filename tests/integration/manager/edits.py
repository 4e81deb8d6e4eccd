"""What a client does to the queue, over a line that loses requests and answers, and to the model at the same time.

Where an item is to be named, a number that means "some item" will do, so that whoever decides what happens next need
not know the queue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, TypeVar

from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_items_pb2 as pb
from queueserver.manager.v1 import queue_pb2
from queueserver_client import After, AsyncClient, Before, InterruptedPolicy, Item, ItemType, Plan, Position

from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.manager_rig import Rig
from tests.integration.manager.queue_model import ModelItem, QueueModel
from tests.integration.manager.worker_script import PLAN, SECONDS

T = TypeVar("T")


class Place(Enum):
    """Where to put an item."""

    FRONT = "front"
    BACK = "back"
    INDEX = "index"
    BEFORE = "before"
    AFTER = "after"
    AFTER_RUNNING = "after running"


class Edits:
    """A Manager, the model of it, and edits of both."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.model = QueueModel()
        self.numbers = rig.numbers
        #: Requests that were answered: method, request, answer.
        self.answered: list[tuple[str, Any, Any]] = []

    def edit(self, operation: Callable[[AsyncClient], Awaitable[T]], loss: Loss = Loss.NOTHING) -> T:
        """Let a client do something; it repeats what gets lost."""

        async def attempt() -> T:
            return await operation(self.rig.client)

        self.rig.line.loss = loss
        result = self.rig.run(attempt())
        assert self.rig.line.loss is Loss.NOTHING
        return result

    def ask(self, method: str, request: Any) -> Any:
        """Send a request as it is."""

        async def attempt() -> Any:
            return await getattr(self.rig.raw.queue, method)(request, wait_for_ready=True, timeout=SECONDS)

        return self.rig.run(attempt())

    def new_item(self, *, is_stop: bool = False) -> tuple[ModelItem, Item]:
        """An item for the model and the same for the Manager."""
        number = next(self.numbers)
        plan = Plan(PLAN, properties={"number": number})
        stop = Item("queue_stop", item_type=ItemType.INSTRUCTION, properties={"number": number})
        return ModelItem(number, is_stop), stop if is_stop else plan

    def some(self, which: int, count: int) -> list[ModelItem]:
        """Up to ``count`` items of the queue, in no particular order."""
        queue = self.model.queue
        step = 3 if len(queue) % 3 else 1
        return [queue[(which + step * i) % len(queue)] for i in range(min(count, len(queue)))]

    def beside(self, place: Place, which: int, others: Sequence[ModelItem]) -> tuple[Position, int]:
        """A place among others, for the Manager and as an index for the model."""
        if place is Place.BACK:
            return "back", len(others)
        if place not in {Place.BEFORE, Place.AFTER} or not others:
            return "front", 0
        index = which % len(others)
        uid = others[index].uid
        return (Before(uid), index) if place is Place.BEFORE else (After(uid), index + 1)

    def place_for_new(self, place: Place, which: int) -> tuple[Position, int]:
        """A place for items that are added."""
        size, running = len(self.model.queue), self.model.running
        if place is Place.INDEX:
            index = which - 8
            return index, max(0, size + index) if index < 0 else min(index, size)
        if place is Place.AFTER_RUNNING and running is not None:
            return After(running.uid), 0
        return self.beside(place, which, self.model.queue)

    def add(self, place: Place = Place.BACK, which: int = 0, is_stop: bool = False, loss: Loss = Loss.NOTHING) -> None:
        """Add one item, or the instruction to stop."""
        item, plan = self.new_item(is_stop=is_stop)
        position, index = self.place_for_new(place, which)
        handle = self.edit(lambda client: client.queue.add(plan, position=position), loss)
        assert handle.index == index
        self.model.insert([item], index)

    def add_batch(self, count: int, place: Place = Place.BACK, which: int = 0, loss: Loss = Loss.NOTHING) -> None:
        """Add several items."""
        made = [self.new_item() for _ in range(count)]
        position, index = self.place_for_new(place, which)
        self.edit(lambda client: client.queue.add_batch([plan for _, plan in made], position=position), loss)
        self.model.insert([item for item, _ in made], index)

    def move(self, which: int, place: Place, where: int, loss: Loss = Loss.NOTHING) -> None:
        """Move an item."""
        (item,) = self.some(which, 1)
        others = [other for other in self.model.queue if other is not item]
        position, index = self.beside(place, where, others)
        if place is Place.INDEX:
            index = where % len(self.model.queue)
            position = index - len(self.model.queue) if where % 2 else index
        moved = self.edit(lambda client: client.queue.move(item.uid, position), loss)
        assert moved.index == index
        self.model.move([item], index)

    def move_batch(
        self, which: int, count: int, place: Place, where: int, keep: bool, loss: Loss = Loss.NOTHING
    ) -> None:
        """Move several items."""
        batch = self.some(which, count)
        position, index = self.beside(place, where, [item for item in self.model.queue if item not in batch])
        uids = [item.uid for item in batch]
        self.edit(lambda client: client.queue.move_batch(uids, position, keep_queue_order=keep), loss)
        self.model.move(sorted(batch, key=self.model.queue.index) if keep else batch, index)

    def remove(self, which: int, loss: Loss = Loss.NOTHING) -> None:
        """Remove an item."""
        (item,) = self.some(which, 1)
        removed = self.edit(lambda client: client.queue.remove(item.uid), loss)
        assert removed.item.uid == item.uid
        self.model.remove([item])

    def remove_batch(self, which: int, count: int, strict: bool, loss: Loss = Loss.NOTHING) -> None:
        """Remove several items."""
        batch = self.some(which, count)
        self.edit(lambda client: client.queue.remove_batch([item.uid for item in batch], strict=strict), loss)
        self.model.remove(batch)

    def update(self, which: int, new_uid: bool, loss: Loss = Loss.NOTHING) -> None:
        """Replace an item by another one."""
        (item,) = self.some(which, 1)
        other, plan = self.new_item()
        self.edit(lambda client: client.queue.update(item.uid, plan, new_uid=new_uid), loss)
        self.model.update(item, other.number, new_uid=new_uid)

    def clear(self, loss: Loss = Loss.NOTHING) -> None:
        """Remove all items."""
        assert self.edit(lambda client: client.queue.clear(), loss) == len(self.model.queue)
        self.model.queue.clear()

    def set_mode(self, loop: bool, ignore: bool, policy: InterruptedPolicy, loss: Loss = Loss.NOTHING) -> None:
        """Set the mode of the queue."""
        self.edit(lambda client: client.queue.set_mode(loop=loop, ignore_failures=ignore, interrupted=policy), loss)
        self.model.loop, self.model.ignore_failures, self.model.interrupted = loop, ignore, policy

    def add_under_an_id(self) -> None:
        """Add an item by a request that will be repeated later."""
        number = next(self.numbers)
        item = item_pb2.ItemSpec(name=PLAN)
        item.properties.update({"number": number})
        request = pb.AddItemRequest(item=item, request_id=f"add {number}")
        self.answered.append(("AddItem", request, self.ask("AddItem", request)))
        self.model.insert([ModelItem(number)], len(self.model.queue))

    def remove_the_last_under_an_id(self) -> None:
        """Remove an item by such a request."""
        request = pb.RemoveItemRequest(
            address=queue_pb2.ItemAddress(back=True), request_id=f"remove {next(self.numbers)}"
        )
        self.answered.append(("RemoveItem", request, self.ask("RemoveItem", request)))
        self.model.remove(self.model.queue[-1:])

    def ask_again(self, which: int) -> None:
        """Repeat an earlier request: it gets the first answer and changes nothing."""
        method, request, answer = self.answered[which % len(self.answered)]
        assert self.ask(method, request) == answer
