from __future__ import annotations

import asyncio
import inspect
import pydoc
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from queueserver.common.v1 import environment_pb2, item_pb2
from queueserver.manager.v1 import environment_service_pb2, event_service_pb2, queue_items_pb2, status_service_pb2
from queueserver_client import (
    AsyncClient,
    AsyncEnvironment,
    AsyncHistory,
    AsyncInventory,
    AsyncQueue,
    AsyncRunEngine,
    Client,
    ItemHandle,
    Plan,
    QueueServerError,
    Snapshot,
    Watch,
    sync,
)
from queueserver_client.portal import Portal

from tests.integration.client.scripted_manager import ScriptedManager, until_cancelled

SECONDS = 10.0
PAIRS = {
    AsyncClient: Client,
    AsyncQueue: sync.Queue,
    AsyncRunEngine: sync.RunEngine,
    AsyncEnvironment: sync.Environment,
    AsyncHistory: sync.History,
    AsyncInventory: sync.Inventory,
    ItemHandle: sync.BlockingItemHandle,
    Watch: sync.BlockingWatch,
}


@pytest.mark.parametrize("kind", PAIRS)
def test_the_blocking_class_has_every_public_name_of_the_asynchronous_one(kind: type[Any]) -> None:
    public = {name for name, _ in inspect.getmembers(kind) if not name.startswith("_")}
    if kind is ItemHandle:
        public |= {"item", "index", "queue_size", "revision"}
    assert public - {name for name in dir(PAIRS[kind]) if not name.startswith("_")} == set()


SERVICES = ("queue", "run_engine", "environment", "history", "inventory", "tasks", "planning", "permissions")


def test_a_blocking_method_keeps_the_documentation() -> None:
    assert sync.Queue.add.__doc__ == AsyncQueue.add.__doc__
    assert "await" not in (sync.Tasks.execute_function.__doc__ or "")


def test_help_shows_services_and_methods_with_their_signatures() -> None:
    text = pydoc.render_doc(Client, renderer=pydoc.plaintext)
    assert "status(self) -> 'Status'\n" in text
    assert all(re.search(rf"^ \|  {service}\n \|      \w", text, re.MULTILINE) for service in SERVICES)
    of_queue = pydoc.render_doc(Client("127.0.0.1:1").queue, renderer=pydoc.plaintext)
    # Python 3.13 and newer write a long signature on several lines.
    assert re.search(
        r"add\((\n \| +)?self,\s[ |]*item: 'Item',\s[ |]*\*,\s[ |]*position: 'Position \| None' = None", of_queue
    )
    assert "-> 'BlockingItemHandle'\n |      Add a plan or instruction" in of_queue
    assert "-> 'Iterator[ItemStatus]'\n" in of_queue
    assert "Coroutine" not in text + of_queue
    assert "Async" not in of_queue


@pytest.mark.parametrize("service", SERVICES)
def test_completion_finds_every_method_and_its_parameters(service: str) -> None:
    found = getattr(Client("127.0.0.1:1"), service)
    methods = {name: getattr(found, name) for name in dir(found) if not name.startswith("_")}
    assert methods
    for name, method in methods.items():
        assert inspect.ismethod(method), name
        asynchronous = getattr(found._target, name)
        assert inspect.signature(method).parameters == inspect.signature(asynchronous).parameters
        assert (method.__name__, bool(method.__doc__)) == (name, True)


async def stream_of_one(_: Any) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
    snapshot = event_service_pb2.WatchSnapshot(complete=True)
    yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t")
    await until_cancelled()


def test_closing_a_client_ends_iterations_of_other_threads_quietly(threaded: ScriptedManager) -> None:
    begun = threading.Event()
    client = Client(threaded.address)

    def iterate() -> list[object]:
        found = []
        with client.watch() as watch:
            for event in watch:
                found.append(event)
                begun.set()
        return found

    threaded.answers["WatchEvents"] = stream_of_one
    outcome = outcome_of(iterate)
    assert begun.wait(SECONDS)
    client.close()
    (only,) = outcome.result(SECONDS)  # type: ignore[misc] # a list
    assert isinstance(only, Snapshot)


def test_an_iteration_that_begins_when_the_client_is_closed_is_refused() -> None:
    client = Client("127.0.0.1:1")
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        next(client.watch())
    with pytest.raises(RuntimeError, match="closed"):
        next(client.queue.wait("a"))


def test_an_iterator_that_is_left_behind_closes_quietly_behind_a_closed_client(threaded: ScriptedManager) -> None:
    threaded.answers["WatchEvents"] = stream_of_one
    with Client(threaded.address) as client:
        watch = client.watch()
        next(watch)
    watch.close()
    assert list(watch) == []


@pytest.fixture
def threaded() -> Iterator[ScriptedManager]:
    """A scripted manager that serves from a thread, so that the test's own thread is free to block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    manager = ScriptedManager()
    asyncio.run_coroutine_threadsafe(manager.start(), loop).result(10)
    yield manager
    asyncio.run_coroutine_threadsafe(manager.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def stored(uid: str) -> item_pb2.Item:
    return item_pb2.Item(item_uid=uid, name="count")


def test_calls_handles_and_listings_work_without_an_event_loop(threaded: ScriptedManager) -> None:
    threaded.answers["AddItem"] = queue_items_pb2.AddItemResponse(item=stored("a"), queue_size=1)
    threaded.answers["RemoveItem"] = queue_items_pb2.RemoveItemResponse(item=stored("a"), queue_size=0)
    threaded.answers["ListItems"] = [
        queue_items_pb2.ListItemsResponse(items=[stored("a")], next_page_token="t"),
        queue_items_pb2.ListItemsResponse(items=[stored("b")]),
    ]
    with Client(threaded.address) as client:
        handle = client.queue.add(Plan("count"))
        assert (handle.uid, handle.queue_size, handle.item.name) == ("a", 1, "count")
        assert handle.remove().queue_size == 0
        assert [item.uid for item in client.queue.list()] == ["a", "b"]


async def test_it_works_where_an_event_loop_already_runs(threaded: ScriptedManager) -> None:
    threaded.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    with Client(threaded.address) as client:
        assert client.status().items_in_queue == 0


def test_a_watch_is_a_plain_iterator(threaded: ScriptedManager) -> None:
    async def stream(_: Any) -> AsyncIterator[event_service_pb2.WatchEventsResponse]:
        snapshot = event_service_pb2.WatchSnapshot(complete=True, queue=[stored("a")])
        yield event_service_pb2.WatchEventsResponse(snapshot=snapshot, resume_token="t")
        await until_cancelled()

    threaded.answers["WatchEvents"] = stream
    with Client(threaded.address) as client, client.watch(["queue"]) as watch:
        first = next(watch)
        assert isinstance(first, Snapshot)
        assert watch.resume_token == "t"


def test_a_callback_that_calls_the_client_is_told_instead_of_blocking_for_ever(threaded: ScriptedManager) -> None:
    idle = environment_pb2.EnvironmentStatus(state=environment_pb2.ENVIRONMENT_STATE_IDLE)

    async def stream(_: Any) -> AsyncIterator[environment_service_pb2.WaitEnvironmentResponse]:
        yield environment_service_pb2.WaitEnvironmentResponse(environment=idle)

    threaded.answers |= {
        "OpenEnvironment": environment_service_pb2.OpenEnvironmentResponse(),
        "WaitEnvironment": stream,
    }
    with Client(threaded.address) as client, pytest.raises(RuntimeError, match="must not call the client"):
        client.environment.open(on_progress=lambda _: print(client.status()))  # noqa: T201 - never gets so far


def test_errors_come_through_and_a_closed_client_says_so() -> None:
    client = Client("127.0.0.1:1")
    with pytest.raises(QueueServerError, match="No Queue Server answers"):
        client.status()
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.status()


def outcome_of(call: Callable[[], object]) -> Future[object]:
    """What becomes of a call in another thread."""
    outcome: Future[object] = Future()

    def make() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - handed on
            outcome.set_exception(error)

    threading.Thread(target=make, daemon=True).start()
    return outcome


@pytest.mark.parametrize(
    ("method", "wait"),
    [
        ("GetStatus", lambda client: client.status()),
        ("WaitEnvironment", lambda client: client.environment.wait()),
        ("WaitTask", lambda client: client.tasks.wait("a")),
    ],
)
def test_closing_ends_the_calls_of_other_threads_with_an_error(
    threaded: ScriptedManager, method: str, wait: Callable[[Client], object]
) -> None:
    arrived = threading.Event()

    async def never(_: Any) -> Any:
        arrived.set()
        await until_cancelled()

    async def silence(_: Any) -> AsyncIterator[Any]:
        await never(_)
        yield None

    threaded.answers[method] = never if method == "GetStatus" else silence
    client = Client(threaded.address)
    outcome = outcome_of(lambda: wait(client))
    assert arrived.wait(SECONDS)
    client.close()
    assert "closed" in str(outcome.exception(SECONDS))
    assert isinstance(outcome.exception(), (QueueServerError, RuntimeError))


def test_a_call_that_does_not_end_by_itself_is_ended_when_the_client_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queueserver_client.portal._GRACE_SECONDS", 0.0)
    begun = threading.Event()

    async def stay() -> None:
        begun.set()
        await asyncio.Event().wait()

    client = Client("127.0.0.1:1")
    outcome = outcome_of(lambda: client._portal.call(stay()))
    assert begun.wait(SECONDS)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        outcome.result(SECONDS)


async def nothing() -> None:
    pass


def test_closing_ends_although_what_it_does_first_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("queueserver_client.portal._END_SECONDS", 0.05)
    portal = Portal()
    portal.call(nothing())
    portal.close(lambda: asyncio.Event().wait())
    with pytest.raises(RuntimeError, match="closed"):
        portal.call(asyncio.Event().wait())


@pytest.mark.parametrize(("user", "problem"), [("", "must not be empty"), ("J\udcfcrgen", "half a character at 1")])
def test_a_user_name_that_is_no_text_is_refused(user: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^user .*{problem}"):
        Client("127.0.0.1:1", user=user)
