"""A store that somebody else wrote into: nothing is passed over in silence, and the way out is told."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

import pytest
import redis
from queueserver_client import AsyncClient, ExitStatus, Plan

from tests.harness.parts import Parts
from tests.harness.process import TestProcess
from tests.harness.progress import history, queue, run_to_its_end
from tests.harness.wait import bounded

Breaking = Callable[["redis.Redis", str], object]
#: What is written into the store, by its key; and items in the queue and in the history once the way out was taken.
BROKEN: dict[str, tuple[Breaking, int, int]] = {
    "{qs}:items": (lambda store, uid: store.hset("{qs}:items", uid, b"{no json"), 1, 1),
    "{qs}:items without the item": (lambda store, uid: store.hdel("{qs}:items", uid), 1, 1),
    "{qs}:mode": (lambda store, _: store.set("{qs}:mode", b'{"loop": true, "interrupted": "perhaps"}'), 2, 1),
    "{qs}:history": (lambda store, _: store.hset("{qs}:history", "1", b"\xff"), 2, 0),
    "{qs}:running": (lambda store, _: store.set("{qs}:running", b"{}"), 2, 1),
    "{qs}:requests": (lambda store, _: store.hset("{qs}:requests", "an-id", b"no line"), 2, 1),
}


def told(parts: Parts) -> str:
    """What a Manager says that can't start, and ends."""
    command = [sys.executable, "-m", "queueserver_manager", "--listen", parts.address]
    process = TestProcess("Manager", [*command, "--redis", parts.redis.url, "--worker", parts.worker.address])
    try:
        assert process.wait() == 1
        process.output.wait_until_ended()
        return str(process.output)
    finally:
        process.close()


@pytest.mark.parametrize("what", BROKEN)
async def test_a_manager_does_not_start_on_what_it_can_not_read_and_says_how_to_give_it_up(
    parts: Parts, parts_client: AsyncClient, what: str
) -> None:
    breaks, items_left, entries_left = BROKEN[what]
    await parts_client.queue.add(Plan("one_run"))
    await run_to_its_end(parts_client)
    broken, kept = await parts_client.queue.add_batch([Plan("nothing"), Plan("one_run")])
    parts.kill_manager()
    with parts.redis.connect() as store:
        breaks(store, broken.uid)
        said = told(parts)
        assert f"What Redis holds in {what.split(maxsplit=1)[0]}" in said
        assert "Traceback" not in said
        remedy = re.search(r"typing (.+) into redis-cli", said)
        assert remedy is not None
        store.execute_command(*remedy.group(1).split())
    parts.start_manager()
    assert [item.uid for item in await queue(parts_client)][-1] == kept.uid
    assert (len(await queue(parts_client)), len(await history(parts_client))) == (items_left, entries_left)
    handle = await parts_client.queue.execute(Plan("one_run"))
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
