"""The lock through the Python client: who holds it, what others are told, and that it is held as long as it says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator

import pytest
from queueserver_client import (
    AsyncClient,
    Client,
    InvalidRequest,
    Locked,
    LockKeyInvalid,
    LockLost,
    LockRefused,
    Plan,
)

from tests.harness.parts import Parts
from tests.harness.stack import Stack
from tests.harness.wait import bounded

KEY = "userlockkey"


@pytest.fixture
async def holder(shared_stack: Stack, shared_client: AsyncClient) -> AsyncIterator[AsyncClient]:
    """Another client of ``shared_stack``, which holds nothing when the test begins and ends."""
    del shared_client
    async with AsyncClient(shared_stack.address, user="jane") as client:
        yield client
        lock = await client.lock.get()
        if lock.lock.is_locked:
            await client.lock.release(key=client.lock.key or KEY)


async def test_who_holds_the_lock_may_do_what_others_are_refused_with_name_note_and_time(
    shared_client: AsyncClient, holder: AsyncClient
) -> None:
    state = await holder.lock.acquire(queue=True, note="do not touch: Å", key=KEY)
    assert (state.lock.queue, state.lock.environment, state.lock.user) == (True, False, "jane")
    with pytest.raises(Locked, match="RE Manager is locked by jane") as caught:
        await shared_client.queue.add(Plan("one_run"))
    assert (caught.value.holder, caught.value.note) == ("jane", "do not touch: Å")
    assert caught.value.since == state.lock.time
    assert caught.value.lock.queue
    assert (await holder.queue.add(Plan("one_run"))).queue_size == 1
    with pytest.raises(Locked):
        await shared_client.lock.acquire(environment=True, key="another")
    with pytest.raises(LockKeyInvalid) as invalid:
        await shared_client.lock.release(key="another")
    assert invalid.value.holder == "jane"
    released = await holder.lock.release()
    assert (released.lock.is_locked, holder.lock.key) == (False, None)
    await shared_client.queue.clear()


async def test_the_status_and_get_tell_the_lock_and_whether_a_key_fits(
    shared_client: AsyncClient, holder: AsyncClient
) -> None:
    before = await shared_client.status()
    assert (before.lock.is_locked, before.lock.user) == (False, "")
    state = await holder.lock.acquire(environment=True, key=KEY)
    after = await shared_client.status()
    assert (after.lock, after.lock_info_uid) == (state.lock, state.uid)
    assert before.lock_info_uid != after.lock_info_uid
    assert (await shared_client.lock.get()).key_fits is None
    wrong = await shared_client.lock.get(key="another")
    assert wrong.key_fits is False
    assert wrong.message.startswith("Invalid lock key: \nRE Manager is locked by jane at ")
    right = await holder.lock.get()
    assert (right.key_fits, right.message) == (True, "")


async def test_a_client_made_with_a_key_sends_it_with_every_call(
    shared_stack: Stack, shared_client: AsyncClient, holder: AsyncClient
) -> None:
    await holder.lock.acquire(queue=True, key="Schlüssel ")
    async with AsyncClient(shared_stack.address, lock_key="Schlüssel ") as colleague:
        await colleague.queue.clear()
        assert (await colleague.lock.release()).lock.is_locked is False
        assert colleague.lock.key == "Schlüssel "
    await shared_client.queue.clear()


@pytest.mark.parametrize(
    ("key", "problem"), [("", "^lock-key must not be empty"), ("\udcfc", "^lock-key must be text")]
)
def test_a_key_that_is_no_text_is_refused_and_not_told(key: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        Client("127.0.0.1:1", lock_key=key)
    assert not key or key not in str(caught.value)


async def test_what_to_lock_and_a_key_have_to_be_said(holder: AsyncClient) -> None:
    with pytest.raises(InvalidRequest, match="environment"):
        await holder.lock.acquire(key=KEY)
    with pytest.raises(InvalidRequest, match="key"):
        await holder.lock.acquire(environment=True)
    with pytest.raises(InvalidRequest):
        async with holder.lock.hold():
            pass
    assert not (await holder.lock.get()).lock.is_locked


async def test_the_lock_is_held_in_a_block_and_released_behind_it_also_after_an_exception(
    shared_client: AsyncClient, holder: AsyncClient
) -> None:
    async with holder.lock.hold(environment=True, queue=True, note="calibration", lease=30) as hold:
        assert (hold.lock.note, hold.lock.lease) == ("calibration", 30)
        with pytest.raises(Locked, match="calibration"):
            await shared_client.queue.clear()
        await holder.queue.clear()
        with pytest.raises(RuntimeError, match="holds the lock already"):
            await holder.lock.hold(queue=True).__aenter__()
    assert holder.lock.key is None
    await shared_client.queue.clear()
    with pytest.raises(ZeroDivisionError):
        async with holder.lock.hold(queue=True):
            _ = 1 / 0
    await shared_client.queue.clear()


async def test_two_who_want_to_hold_it_never_both_do(shared_client: AsyncClient, holder: AsyncClient) -> None:
    async with holder.lock.hold(queue=True):
        with pytest.raises(Locked) as caught:
            async with shared_client.lock.hold(queue=True):
                raise AssertionError("both hold it")
        assert caught.value.holder == "jane"
        assert shared_client.lock.key is None
    async with shared_client.lock.hold(queue=True):
        pass


def test_the_blocking_client_holds_the_lock_too(shared_stack: Stack) -> None:
    with Client(shared_stack.address) as one, Client(shared_stack.address) as other:
        with one.lock.hold(queue=True, note="blocking") as hold:
            assert (hold.lock.note, hold.is_lost, hold.request) == ("blocking", False, None)
            with pytest.raises(Locked):
                other.queue.clear()
        other.queue.clear()


async def test_a_lease_is_renewed_by_itself_for_as_long_as_it_takes(
    shared_client: AsyncClient, holder: AsyncClient
) -> None:
    async with holder.lock.hold(queue=True, lease=5) as hold:
        begin = hold.lock.lease_end_time
        async with shared_client.watch(["lock"]) as watch:
            async for event in watch:
                lock = event.lock  # type: ignore[union-attr] # only the lock is watched
                if lock.lease_end_time > begin:
                    break
        assert not hold.is_lost


PROGRAM = """
import sys, time
from queueserver_client import Client
client = Client(sys.argv[1], user="program")
with client.lock.hold(queue=True, lease=5):
    print("held", flush=True)
    sys.stdin.read()
"""


async def test_a_program_that_is_killed_leaves_no_lock_behind(
    shared_stack: Stack, shared_client: AsyncClient, holder: AsyncClient
) -> None:
    del holder
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), shared_stack.address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ) as program:  # noqa: ASYNC220 - it only waits for a line
        assert program.stdout is not None
        assert await asyncio.to_thread(program.stdout.readline) == b"held\n"
        async with shared_client.watch(["lock"]) as watch:
            program.kill()

            async def until_free() -> None:
                async for event in watch:
                    if not event.lock.is_locked:  # type: ignore[union-attr] # only the lock is watched
                        return

            await bounded(until_free())
    await shared_client.queue.clear()


async def test_a_lock_that_is_lost_is_told_by_the_next_call_and_at_the_end_and_not_released(
    shared_stack: Stack, shared_client: AsyncClient, holder: AsyncClient
) -> None:
    async def hold_and_lose() -> None:
        async with holder.lock.hold(queue=True, key=KEY) as hold, AsyncClient(shared_stack.address, user="jim") as jim:
            await jim.lock.release(key=KEY)
            await jim.lock.acquire(queue=True, key="another")
            with pytest.raises(LockLost):
                await holder.queue.clear()
            assert hold.is_lost

    with pytest.raises(LockLost, match="was lost while it was held"):
        await hold_and_lose()
    assert (await shared_client.lock.get()).lock.user == "jim"
    await shared_client.lock.release(key="another")


async def test_it_is_asked_for_politely_and_given(shared_client: AsyncClient, holder: AsyncClient) -> None:
    async def take() -> str:
        async with shared_client.lock.hold(queue=True, note="please", ask=60) as hold:
            return hold.lock.user

    async with holder.lock.hold(queue=True) as held:
        taking = asyncio.create_task(take())
        async with shared_client.watch(["lock"]) as watch:
            async for event in watch:
                if event.lock.request is not None:  # type: ignore[union-attr] # only the lock is watched
                    break
        state = await holder.lock.get()
        assert state.lock.request is not None
        assert state.lock.request.note == "please"
        await holder.lock.answer(grant=False, note="in five minutes")
        with pytest.raises(LockRefused, match="jane refused to give the lock: in five minutes"):
            await bounded(taking)
        assert not held.is_lost
        taking = asyncio.create_task(take())
    assert await bounded(taking) != "jane"


async def test_a_manager_that_is_killed_while_the_lock_is_held_loses_nothing(
    parts: Parts, parts_client: AsyncClient
) -> None:
    async with AsyncClient(parts.address, user="jane") as holder, holder.lock.hold(queue=True, lease=5) as hold:
        with parts.manager_killed():
            pass
        with pytest.raises(Locked):
            await parts_client.queue.clear()
        await holder.queue.clear()
        assert not hold.is_lost
    await parts_client.queue.clear()
