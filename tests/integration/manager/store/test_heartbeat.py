"""Whether Redis responds is known soon, and one that only takes its time is not taken for gone."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys

import pytest
from queueserver_manager.domain.storage import Fault, StorageState
from queueserver_manager.store.connection import COMMAND_TIMEOUT, Busy, connect
from redis import Redis

from tests.harness.redis import RedisProcess
from tests.harness.wait import bounded
from tests.integration.manager.store.heard import CONNECTIONS, heartbeat
from tests.integration.manager.store.slow_names import NAME, SlowNames

#: Seconds for which the status may be wrong.
_SOON = 1.0


async def test_a_redis_that_is_killed_is_told_and_when_it_is_back_connections_are_ready(
    redis_server: RedisProcess,
) -> None:
    redis = connect(redis_server.url)
    async with heartbeat(redis) as heard:
        for _ in range(2):
            redis_server.kill()
            gone = await heard.next()
            assert gone is not None
            assert gone.state is StorageState.UNREACHABLE
            redis_server.start()
            assert await heard.next() is None
            with redis_server.connect() as other:
                # And the one that asks.
                assert len(other.client_list()) == 1 + CONNECTIONS + 1
        assert heard.given_up == []


async def test_a_redis_that_is_silent_is_given_up_after_the_longest_time_for_an_answer_and_not_before(
    redis_at_port: RedisProcess,
) -> None:
    async with heartbeat(connect(redis_at_port.url)) as heard:
        redis_at_port.send(signal.SIGSTOP)
        silent = Fault(StorageState.UNREACHABLE, f"no answer within {COMMAND_TIMEOUT:g} s")
        assert await heard.next() == silent
        assert heard.given_up == [silent]
        redis_at_port.send(signal.SIGCONT)
        assert await heard.next() is None


async def test_a_redis_that_is_busy_with_our_own_long_work_is_waited_for_longer(redis_at_port: RedisProcess) -> None:
    busy = Busy()
    with busy.for_seconds(1.0):
        async with heartbeat(connect(redis_at_port.url), busy) as heard:
            redis_at_port.send(signal.SIGSTOP)
            silent = await heard.next()
            redis_at_port.send(signal.SIGCONT)
    assert silent == Fault(StorageState.UNREACHABLE, f"no answer within {COMMAND_TIMEOUT + 1:g} s")


async def test_a_redis_whose_name_nobody_can_look_up_is_told_while_the_look_up_lasts(
    redis_at_port: RedisProcess, names: SlowNames
) -> None:
    names.answering.set()
    async with heartbeat(connect(redis_at_port.url.replace("127.0.0.1", NAME))) as heard:
        names.answering.clear()
        redis_at_port.kill()
        gone = await heard.next()
        assert gone is not None
        assert "no new connection" in gone.reason
        redis_at_port.start()
        names.answering.set()
        while await heard.next() is not None:
            pass


async def test_a_redis_that_ends_a_connection_and_takes_a_new_one_is_not_told_as_gone(
    redis_server: RedisProcess,
) -> None:
    async with heartbeat(connect(redis_server.url)) as heard:
        with redis_server.connect() as other:
            other.client_kill_filter(skipme=True)
            # The first ping may belong to the new connection, the one after it does not come before all are ready.
            await bounded(asyncio.to_thread(pinged, other, CONNECTIONS + 2))
        assert heard.told == [None]


def pinged(redis: Redis, times: int) -> None:
    """Return when Redis was pinged so many times."""
    with redis.monitor() as monitor:
        for _ in range(times):
            while monitor.next_command()["command"] != "PING":
                pass


def test_a_redis_whose_network_loses_everything_is_told_as_gone_within_a_second() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.manager.store.lost_packets"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "they need" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    state, seconds, given_up = done.stdout.split()
    assert (state, given_up) == ("UNREACHABLE", "0")
    assert float(seconds) < _SOON
