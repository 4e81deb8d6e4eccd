"""`qserver-clear-lock`: a lock whose key is lost is cleared in Redis, beside a running Manager and without one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, EventKind, LockChange, LockChanged, Plan

from tests.harness.parts import Parts
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack
from tests.harness.wait import first

HELD = (
    r"Lock detected: environment and queue locked by jane since \d\d/\d\d/\d{4} \d\d:\d\d:\d\d\. Note: in the hutch\n"
)
NAMES = ("QSERVER_REDIS_URL", "QUEUESERVER_REDIS_URL")


def clear_lock(*options: str, **variables: str) -> tuple[int, str, str]:
    """Exit code and what is printed on both streams."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [str(COMMANDS / "qserver-clear-lock"), *options],
        env=kept | variables,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


async def lock(address: str) -> None:
    async with AsyncClient(address, user="jane") as jane:
        await jane.lock.acquire(environment=True, queue=True, note="in the hutch", key="a lost key")


async def is_locked(address: str) -> bool:
    async with AsyncClient(address) as client:
        return (await client.status()).lock.is_locked


async def test_a_running_manager_unlocks_at_once_and_tells_everybody(parts: Parts, parts_client: AsyncClient) -> None:
    assert clear_lock("--redis-addr", parts.redis.url) == (0, "No lock was detected.\n", "")
    await lock(parts.address)
    async with parts_client.watch([EventKind.LOCK]) as watch:
        await first(watch, lambda _: True)
        code, out, err = clear_lock(QSERVER_REDIS_URL=parts.redis.url)
        event = await first(watch, lambda _: True)
    assert (code, err) == (0, "")
    assert re.fullmatch(f"{HELD}The lock was cleared\\.\n", out)
    assert isinstance(event, LockChanged)
    assert event.change is LockChange.CLEARED
    assert not await is_locked(parts.address)
    await parts_client.queue.clear()


async def test_without_a_manager_the_lock_is_cleared_when_one_starts(parts: Parts, parts_client: AsyncClient) -> None:
    del parts_client
    await lock(parts.address)
    parts.kill_manager()
    code, out, err = clear_lock("--redis-addr", parts.redis.url)
    assert (code, err) == (0, "")
    assert re.fullmatch(f"{HELD}No Manager runs: the lock is cleared when the server starts\\.\n", out)
    parts.start_manager()
    assert not await is_locked(parts.address)


async def test_a_lock_that_an_older_release_stored_is_found_and_cleared_by_the_release_that_starts(
    parts: Parts, parts_client: AsyncClient
) -> None:
    await parts_client.queue.add(Plan("nothing"))
    await lock(parts.address)
    parts.kill_manager()
    with parts.redis.connect() as redis:
        # As a release left it that called its keys after the bare prefix.
        redis.delete("qs:meta", "{qs}:lease")
        for key in redis.scan_iter("{qs}:*"):
            redis.rename(key, key.replace(b"{qs}", b"qs"))
        code, out, err = clear_lock("--redis-addr", parts.redis.url)
        assert (code, err) == (0, "")
        assert re.fullmatch(f"{HELD}No Manager runs: the lock is cleared when the server starts\\.\n", out)
        parts.start_manager()
        left = {key for key in redis.scan_iter("qs:*") if not key.startswith(b"qs:lock:answers:")}
        assert left == {b"qs:meta"}
    assert not await is_locked(parts.address)
    assert (await parts_client.status()).items_in_queue == 1
    await parts_client.queue.clear()


async def test_the_server_of_a_data_directory_is_found(stack: Stack) -> None:
    await lock(stack.address)
    places = {"XDG_RUNTIME_DIR": str(stack.runtime_directory)}
    code, out, _ = clear_lock("--data-dir", str(stack.data_directory), **places)
    assert (code, out.splitlines()[-1]) == (0, "The lock was cleared.")
    stack.stop()
    stack.start()
    assert not await is_locked(stack.address)
    stack.stop()
    code, out, err = clear_lock("--data-dir", str(stack.data_directory), **places)
    assert (code, out) == (1, "")
    assert_says_how_to_start(stack, err)


def assert_says_how_to_start(stack: Stack, err: str) -> None:
    start = f"start the server with start-re-manager --data-dir {stack.data_directory} "
    assert re.fullmatch(
        f"The lock is in the Redis of .*, which is stopped: {start}.*, then repeat this command\\.\n", err
    )


def test_a_redis_that_was_killed_with_its_server_is_started_with_it(stack: Stack) -> None:
    places = {"XDG_RUNTIME_DIR": str(stack.runtime_directory)}
    stack.kill_all()
    code, out, err = clear_lock("--data-dir", str(stack.data_directory), **places)
    assert (code, out) == (1, "")
    assert_says_how_to_start(stack, err)


def test_where_no_server_runs_it_is_said_how_to_name_one(tmp_path: Path) -> None:
    nowhere = {name: str(tmp_path) for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "HOME")}
    code, out, err = clear_lock(**nowhere)
    assert (code, out) == (1, "")
    assert "--data-dir DIR or --redis-addr ADDR" in err


@pytest.mark.parametrize("name", ["nowhere", "file", "file/below"])
def test_a_data_directory_that_does_not_exist_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    code, out, err = clear_lock("--data-dir", str(tmp_path / name))
    assert (code, out) == (1, "")
    assert err.startswith(f"There is no directory {tmp_path / name}: give --data-dir the directory with which ")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "redis://user:secret@127.0.0.1:1", "unix:///nowhere/redis"])
def test_a_redis_that_is_away_is_told_in_a_line(address: str) -> None:
    code, out, err = clear_lock("--redis-addr", address)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"Redis does not respond, or refuses the request: .*Nothing was cleared\.\n", err)
    assert "secret" not in err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--redis-addr", "http://x"], 1, "Can't understand the Redis address"),
        (["--redis-addr", "x", "--data-dir", "y"], 2, "give one of them"),
        (["--redis"], 2, "All options: qserver-clear-lock -h"),
    ],
)
def test_wrong_options_are_told_in_a_line(options: list[str], code: int, said: str) -> None:
    found, out, err = clear_lock(*options)
    assert (found, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1


async def test_the_prefix_of_the_tools_for_0mq_is_taken_with_a_hint(parts: Parts, parts_client: AsyncClient) -> None:
    del parts_client
    code, out, err = clear_lock("--redis-addr", parts.redis.url, "--redis-name-prefix", "qs_default")
    assert (code, out) == (0, "No lock was detected.\n")
    assert "--key-prefix" in err


def test_the_help_teaches_by_example() -> None:
    code, out, _ = clear_lock("--help")
    assert code == 0
    assert "qserver-clear-lock --data-dir" in out
    assert "exit codes:" in out
