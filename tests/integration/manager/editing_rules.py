"""Rules by which a client edits the queue, over a line that loses requests and answers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from queueserver.common.v1 import item_pb2
from queueserver.manager.v1 import queue_service_pb2 as pb
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


indices = st.integers(0, 20)
places = st.sampled_from(Place)
losses = st.sampled_from([Loss.NOTHING] * 3 + list(Loss))


class EditingRules(RuleBasedStateMachine):
    """A Manager, the model of it, and edits of both."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self.model = QueueModel()
        self.numbers = itertools.count(1)
        #: Requests that were answered: method, request, answer.
        self.answered: list[tuple[str, Any, Any]] = []
        self.rig = Rig(loop)

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

    @rule(place=places, which=indices, is_stop=st.sampled_from([False, False, False, True]), loss=losses)
    def add(self, place: Place, which: int, is_stop: bool, loss: Loss) -> None:
        item, plan = self.new_item(is_stop=is_stop)
        position, index = self.place_for_new(place, which)
        handle = self.edit(lambda client: client.queue.add(plan, position=position), loss)
        assert handle.index == index
        self.model.insert([item], index)

    @rule(place=places, which=indices, count=st.integers(0, 4), loss=losses)
    def add_batch(self, place: Place, which: int, count: int, loss: Loss) -> None:
        made = [self.new_item() for _ in range(count)]
        position, index = self.place_for_new(place, which)
        self.edit(lambda client: client.queue.add_batch([plan for _, plan in made], position=position), loss)
        self.model.insert([item for item, _ in made], index)

    @precondition(lambda self: self.model.queue)
    @rule(which=indices, place=places, where=indices, loss=losses)
    def move(self, which: int, place: Place, where: int, loss: Loss) -> None:
        (item,) = self.some(which, 1)
        others = [other for other in self.model.queue if other is not item]
        position, index = self.beside(place, where, others)
        if place is Place.INDEX:
            index = where % len(self.model.queue)
            position = index - len(self.model.queue) if where % 2 else index
        moved = self.edit(lambda client: client.queue.move(item.uid, position), loss)
        assert moved.index == index
        self.model.move([item], index)

    @precondition(lambda self: self.model.queue)
    @rule(which=indices, count=st.integers(1, 4), place=places, where=indices, keep=st.booleans(), loss=losses)
    def move_batch(self, which: int, count: int, place: Place, where: int, keep: bool, loss: Loss) -> None:
        batch = self.some(which, count)
        position, index = self.beside(place, where, [item for item in self.model.queue if item not in batch])
        uids = [item.uid for item in batch]
        self.edit(lambda client: client.queue.move_batch(uids, position, keep_queue_order=keep), loss)
        self.model.move(sorted(batch, key=self.model.queue.index) if keep else batch, index)

    @precondition(lambda self: self.model.queue)
    @rule(which=indices, loss=losses)
    def remove(self, which: int, loss: Loss) -> None:
        (item,) = self.some(which, 1)
        removed = self.edit(lambda client: client.queue.remove(item.uid), loss)
        assert removed.item.uid == item.uid
        self.model.remove([item])

    @precondition(lambda self: self.model.queue)
    @rule(which=indices, count=st.integers(1, 3), strict=st.booleans(), loss=losses)
    def remove_batch(self, which: int, count: int, strict: bool, loss: Loss) -> None:
        batch = self.some(which, count)
        self.edit(lambda client: client.queue.remove_batch([item.uid for item in batch], strict=strict), loss)
        self.model.remove(batch)

    @precondition(lambda self: self.model.queue)
    @rule(which=indices, new_uid=st.booleans(), loss=losses)
    def update(self, which: int, new_uid: bool, loss: Loss) -> None:
        (item,) = self.some(which, 1)
        other, plan = self.new_item()
        self.edit(lambda client: client.queue.update(item.uid, plan, new_uid=new_uid), loss)
        self.model.update(item, other.number, new_uid=new_uid)

    @precondition(lambda self: len(self.model.queue) > 8)
    @rule(loss=losses)
    def clear(self, loss: Loss) -> None:
        assert self.edit(lambda client: client.queue.clear(), loss) == len(self.model.queue)
        self.model.queue.clear()

    @rule(loop=st.booleans(), ignore=st.booleans(), policy=st.sampled_from(list(InterruptedPolicy)[1:]), loss=losses)
    def set_mode(self, loop: bool, ignore: bool, policy: InterruptedPolicy, loss: Loss) -> None:
        self.edit(lambda client: client.queue.set_mode(loop=loop, ignore_failures=ignore, interrupted=policy), loss)
        self.model.loop, self.model.ignore_failures, self.model.interrupted = loop, ignore, policy

    @rule()
    def add_under_an_id(self) -> None:
        number = next(self.numbers)
        item = item_pb2.Item(name=PLAN)
        item.properties.update({"number": number})
        request = pb.AddItemRequest(item=item, request_id=f"add {number}")
        self.answered.append(("AddItem", request, self.ask("AddItem", request)))
        self.model.insert([ModelItem(number)], len(self.model.queue))

    @precondition(lambda self: self.model.queue)
    @rule()
    def remove_the_last_under_an_id(self) -> None:
        request = pb.RemoveItemRequest(request_id=f"remove {next(self.numbers)}")
        self.answered.append(("RemoveItem", request, self.ask("RemoveItem", request)))
        self.model.remove(self.model.queue[-1:])

    @precondition(lambda self: self.answered)
    @rule(which=indices)
    def what_was_asked_long_ago_is_asked_again(self, which: int) -> None:
        method, request, answer = self.answered[which % len(self.answered)]
        assert self.ask(method, request) == answer
