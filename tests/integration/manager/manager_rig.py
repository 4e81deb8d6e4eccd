"""A real Manager on a real Redis with the scripted Worker, real clients of it, and the comparison with the model.

Clients, line and watch live in one event loop, which runs only while the test waits for something; the Worker has
threads of its own. Every wait is for an event of the watch or of the Worker, and bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from queueserver_client import (
    AsyncClient,
    HistoryAdded,
    HistoryCleared,
    HistoryEntry,
    Item,
    QueueView,
    Snapshot,
    Status,
    TaskResult,
)

from tests.harness.raw import connect
from tests.harness.redis import RedisProcess
from tests.harness.services import ManagerProcess
from tests.harness.stack import short_directory
from tests.harness.wait import bounded
from tests.integration.manager.lossy_line import lossy_line
from tests.integration.manager.queue_model import ModelItem, QueueModel
from tests.integration.manager.task_script import TaskScript
from tests.integration.manager.worker_script import SECONDS
from tests.integration.manager.worker_server import WorkerServer

T = TypeVar("T")


class Rig:
    """Everything around one Manager, in the caller's event loop. Close it.

    One example after another may use it, each with an empty queue and an empty history, see :meth:`clear`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        with contextlib.ExitStack() as opened:
            directory = opened.enter_context(short_directory())
            redis = RedisProcess(directory)
            opened.callback(redis.close)
            self._stored: set[str] = set()
            self._redis = opened.enter_context(redis.connect())
            self.script = TaskScript(self._is_stored)
            worker = WorkerServer(directory, self.script)
            opened.callback(worker.close)
            self._manager = ManagerProcess(redis.url, worker.address)
            opened.callback(self._manager.close)
            self._looked_at = 0
            self._connections = contextlib.AsyncExitStack()
            opened.callback(lambda: self.run(self._connections.aclose()))
            self.run(self._connect())
            self._opened = opened.pop_all()
        #: For items and requests: each is unlike all that this Manager ever saw.
        self.numbers = itertools.count(1)
        self._marks = itertools.count(1)
        self._first_number = 1
        self._uids: set[str] = set()
        #: All tasks that this Manager accepted, in order, and the results it told first.
        self.task_uids: list[str] = []
        self.task_results: dict[str, TaskResult] = {}

    async def _connect(self) -> None:
        enter = self._connections.enter_async_context
        self.line = await enter(lossy_line(self._manager.address))
        #: Its requests and answers get lost as the line likes.
        self.client = await enter(AsyncClient(self.line.address, timeout=SECONDS))
        self.raw = await enter(connect(self._manager.address))
        #: Its requests and answers do not.
        self.observer = await enter(AsyncClient(self._manager.address, timeout=SECONDS))
        self._view = QueueView()
        self._history: list[HistoryEntry] = []
        self._news = asyncio.Event()
        self._follower = asyncio.ensure_future(self._follow())
        self._connections.callback(self._follower.cancel)

    async def _follow(self) -> None:
        try:
            async with self.observer.watch(history_limit=10_000) as watch:
                async for change in watch:
                    self._view.apply(change)
                    if isinstance(change, Snapshot):
                        self._history = list(change.history)
                    elif isinstance(change, HistoryAdded):
                        self._history.append(change.entry)
                    elif isinstance(change, HistoryCleared):
                        self._history.clear()
                    self._news.set()
        finally:
            self._news.set()

    def _is_stored(self, execution_id: str) -> bool:
        """An execution is in the history, or a task of this id has a result."""
        if execution_id not in self._stored:
            kept: Any = self._redis.hget("{qs}:tasks", execution_id)
            if kept is not None and json.loads(kept)["result"] is not None:
                self._stored.add(execution_id)
            else:
                self._note_stored()
        return execution_id in self._stored

    def _note_stored(self) -> None:
        entries: list[Any] = self._redis.hvals("{qs}:history")
        self._stored.update(json.loads(entry)["execution_id"] for entry in entries)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the clients work until ``work`` is done."""
        return self._loop.run_until_complete(bounded(work))

    def kill_manager(self) -> None:
        """``kill -9``."""
        self._manager.process.kill()
        self._look_for_errors()
        self._looked_at = 0
        self.script.let_go()
        self.script.break_connection()

    def restart_manager(self) -> None:
        """Start it again; returns when it owns the queue."""
        self._manager.restart()

    def log(self) -> str:
        """Last lines of the Manager's log."""
        return "\n".join(self._manager.process.output.lines()[-100:])

    def clear(self) -> None:
        """Forget what was, for the next example; nothing is queued or running."""
        # Acknowledgements may come later.
        self._note_stored()
        self._first_number += self.run(self.observer.history.clear())
        self.script.clear()

    def close(self) -> None:
        """End everything."""
        self._opened.close()

    # Comparison

    def compare(self, model: QueueModel) -> None:
        """Wait until the Manager has come to where the model is, and compare the two in full."""
        script, begun, left = self.script, len(model.begun), len(model.fates)
        script.wait_until(
            lambda: len(script.begun) >= begun and len(script.fates) <= left,
            f"{begun} executions are begun, not {script.begun}, and the fates after {script.fates} are met",
        )
        mark = 0
        # What is withheld can't be passed by a mark: then only what the model expects to see is waited for.
        if script.told is None:
            mark = next(self._marks)
            script.mark(mark)
        self.run(self._until(lambda: self._shows(model, mark), lambda: self._difference(model, mark)))
        self.run(self._compare(model))
        self._look_for_errors()
        assert script.faults == []

    def _look_for_errors(self) -> None:
        """The Manager logs as an error what it did not foresee."""
        lines = self._manager.process.output.lines()
        assert [line for line in lines[self._looked_at :] if line.startswith("[E ")] == []
        self._looked_at = len(lines)

    async def _until(self, shown: Callable[[], bool], tell: Callable[[], str]) -> None:
        deadline = self._loop.time() + SECONDS
        while not shown():
            self._news.clear()
            if self._follower.done():
                self._follower.result()
            try:
                await asyncio.wait_for(self._news.wait(), deadline - self._loop.time())
            except asyncio.TimeoutError:
                raise AssertionError(tell()) from None

    def _shows(self, model: QueueModel, mark: int) -> bool:
        status = self._view.status
        marked = status is not None and (not mark or status.environment.pid == mark)
        return marked and self._seen() == _expected(model)

    def _difference(self, model: QueueModel, mark: int) -> str:
        status = self._view.status
        return (
            f"the Manager does not come to where the model is\nexpected {_expected(model)} and mark {mark}\n"
            f"seen     {self._seen()} and {status}"
        )

    def _seen(self) -> tuple[Any, ...]:
        """What the watch has told, as :func:`_expected` says it."""
        running = self._view.running
        return (
            [(_number(item), item.attempt, item.held) for item in self._view.items],
            _number(running.item) if running else None,
            [(_number(entry.item), entry.result.exit_status) for entry in self._history],
        )

    async def _compare(self, model: QueueModel) -> None:
        page = await self.observer.queue.page(page_size=10_000)
        entries = [entry async for entry in self.observer.history.list()]
        self._compare_history(model, entries)
        assert len(page.items) == len(model.queue)
        for item, found in zip(model.queue, page.items, strict=True):
            self._recognise(item, found)
        assert (page.running_item is None) == (model.running is None)
        running = []
        if page.running_item is not None and model.running is not None:
            self._recognise(model.running, page.running_item.item)
            assert page.running_item.immediate == model.immediate
            running = [page.running_item.execution_id]
        assert [uid for _, uid in self.script.begun] == [item.uid for item in model.begun]
        known = {entry.execution_id for entry in entries} | set(running)
        assert len(known) == len(entries) + len(running), "two executions have the same id"
        assert {execution_id for execution_id, _ in self.script.begun} <= known
        assert [item.uid for item in self._view.items] == [item.uid for item in page.items]
        self._compare_status(model, await self.observer.status())

    def _compare_history(self, model: QueueModel, entries: list[HistoryEntry]) -> None:
        begun = {uid: execution_id for execution_id, uid in self.script.begun}
        numbers = [entry.number - self._first_number for entry in entries]
        assert numbers == list(range(len(model.history)))
        for line, entry in zip(model.history, entries, strict=True):
            self._recognise(line.item, entry.item)
            if line.successor is not None:
                self._name(line.successor, entry.requeued_as_uid)
            assert entry.requeued_as_uid == (line.successor.uid if line.successor else "")
            assert (entry.result.exit_status, entry.result.failure_cause) == (line.status, line.cause)
            assert (entry.item.uid in begun) == (line.item in model.begun)
            assert begun.get(entry.item.uid, entry.execution_id) == entry.execution_id

    def _compare_status(self, model: QueueModel, status: Status) -> None:
        assert status.queue_stop_pending == model.stop_pending
        mode = status.queue_mode
        assert (mode.loop, mode.ignore_failures, mode.interrupted) == (
            model.loop,
            model.ignore_failures,
            model.interrupted,
        )
        assert status.epoch == self.script.epoch, "the Worker was not told of its owner"

    def _recognise(self, item: ModelItem, found: Item) -> None:
        self._name(item, found.uid)
        retry_of_uid = item.retry_of_uid.uid if item.retry_of_uid else ""
        assert (item.uid, item.number, item.attempt, retry_of_uid, item.held) == (
            found.uid,
            _number(found),
            found.attempt,
            found.retry_of_uid,
            found.held,
        )

    def _name(self, item: ModelItem, uid: str) -> None:
        """An item that is seen for the first time has a uid that nobody had before."""
        if not item.uid:
            assert uid
            assert uid not in self._uids
            item.uid = uid
        self._uids.add(uid)


class Rigs:
    """Gives each example a rig: that of the one before, unless that one failed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._rig: Rig | None = None

    def take(self) -> Rig:
        """A rig whose Manager has an empty queue and an empty history."""
        if self._rig is None:
            self._rig = Rig(self._loop)
        return self._rig

    def close(self) -> None:
        """End the present one: the next example gets a new one."""
        rig, self._rig = self._rig, None
        if rig is not None:
            rig.close()


def _expected(model: QueueModel) -> tuple[Any, ...]:
    return (
        [(item.number, item.attempt, item.held) for item in model.queue],
        model.running.number if model.running else None,
        [(line.item.number, line.status) for line in model.history],
    )


def _number(item: Item) -> int:
    number: int = (item.properties or {})["number"]
    return number
