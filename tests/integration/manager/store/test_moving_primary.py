"""A Redis that is found through Sentinels or in a cluster: the primary is followed, and a commit is confirmed."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from queueserver_long_work.time_slice import next_turn
from queueserver_manager.domain.limits import LOG
from queueserver_manager.domain.storage import StorageState
from queueserver_manager.store.adoption import keys_in_use
from queueserver_manager.store.connection import AddressError, answers, connect, have_ready, wait_for_answer
from queueserver_manager.store.faults import fault_of
from queueserver_manager.store.keys import Keys
from queueserver_manager.store.port import StoreDown
from queueserver_manager.store.primary import asking
from redis.exceptions import RedisError

from tests.harness.ports import reserved_port
from tests.harness.redis_group import NAME, Cluster, Sentinels, Server, running_cluster, running_sentinels, synced
from tests.harness.stack import short_directory
from tests.harness.wait import bounded
from tests.integration.manager.store.owner import Owner, owner, state

PREFIX = "qs"


@pytest.fixture
def sentinels(short_path: Path) -> Iterator[Sentinels]:
    with running_sentinels(short_path) as running:
        yield running


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with short_directory() as directory, running_cluster(directory, Keys(PREFIX).meta) as running:
        yield running


async def reload_until_up(owning: Owner) -> None:
    """As the ledger does it: wait until Redis answers, then read everything, however often that takes."""
    while True:
        await bounded(owning.store.wait_until_up())
        try:
            owning.record = await owning.store.load()
        except StoreDown:
            continue
        return


async def test_the_new_primary_is_found_and_the_old_one_is_left_alone_when_it_comes_back(sentinels: Sentinels) -> None:
    async with owner(sentinels.url, PREFIX, replicas=1) as owning:
        await owning.put("a", "b")
        sentinels.kill_primary()
        # It is stored if the end of the connection was seen before.
        with suppress(StoreDown):
            await bounded(owning.put("c"))
        await reload_until_up(owning)
        assert [item.uid for item in owning.record.queue][:2] == ["a", "b"]
        sentinels.first.restart()
        # At first it takes itself for the primary.
        assert (await owning.redis.execute_command("ROLE"))[0] == b"master"
        await owning.put("d")
        synced(sentinels.first)
        await owning.put("e")
        assert state(await owning.store.load()) == state(owning.record)


async def test_no_connection_stays_at_an_old_primary_that_lives_on(sentinels: Sentinels) -> None:
    redis = connect(sentinels.url)
    async with redis.client() as old:
        assert await old.config_get("port") == {"port": str(sentinels.first.port)}
        sentinels.fail_over()
        for sentinel in sentinels.sentinels:
            sentinel.output.wait_for("+switch-master")
        async with redis.client() as new:
            assert await new.config_get("port") == {"port": str(sentinels.primary().port)}
        # It takes itself for the primary, for ten seconds more.
        with sentinels.first.connect() as first:
            assert first.role()[0] == b"master"
        with suppress(RedisError):
            await old.ping()
        assert await old.config_get("port") == {"port": str(sentinels.primary().port)}
    await redis.aclose()


async def test_a_commit_that_an_old_primary_refused_goes_to_the_new_one_at_the_next_attempt(
    sentinels: Sentinels,
) -> None:
    redis = connect(sentinels.url)
    async with owner(sentinels.url, PREFIX) as owning:
        await owning.put("a")
        # Others lead there as well, and no new one is made that would find the new primary.
        await have_ready(owning.redis, 2)
        with sentinels.first.connect() as first:
            assert first.wait(2, 10_000) == 2
        sentinels.fail_over()
        for sentinel in sentinels.sentinels:
            sentinel.output.wait_for("+switch-master")
        at_the_old_primary, owning.store = owning.store, owning.another_store(LOG, redis)
        await owning.put("b")
        owning.store = at_the_old_primary
        # It takes itself for the primary, for ten seconds more.
        with sentinels.first.connect() as first:
            assert first.role()[0] == b"master"
        with pytest.raises(StoreDown, match="not at revision 2"):
            await bounded(owning.put("c"))
        await owning.put("c")
        assert [item.uid for item in (await owning.store.load()).queue] == ["a", "b", "c"]
    await redis.aclose()


async def test_no_change_is_lost_that_an_old_primary_confirmed_with_a_replica_that_was_not_told_yet(
    short_path: Path,
) -> None:
    with closing(Sentinels(short_path, failover_milliseconds=1000, priorities=(100, 0))) as sentinels:
        async with owner(sentinels.url, PREFIX, replicas=1) as owning:
            await owning.put("0")
            sentinels.fail_over()
            await change_until_replaced(sentinels, sentinels.first, owning)
            # The old primary follows the new one, and is chosen next. The owner changes nothing, and does not see it.
            synced(sentinels.first)
            sentinels.wait_until_informed(sentinels.first)
            second = sentinels.primary()
            sentinels.fail_over()
            sentinels.first.process.output.wait_for("MODE enabled")
            await change_until_replaced(sentinels, second, owning)
            assert sentinels.primary() is sentinels.first


async def change_until_replaced(sentinels: Sentinels, primary: Server, owning: Owner) -> None:
    """Change something over and over until another server is the primary; what was confirmed must be there then."""
    while sentinels.primary() is primary or not sentinels.agreed():
        try:
            await bounded(owning.put(str(len(owning.record.queue))))
        except StoreDown:
            confirmed = [item.uid for item in owning.record.queue]
            await reload_until_up(owning)
            assert [item.uid for item in owning.record.queue][: len(confirmed)] == confirmed


async def test_a_change_is_not_acknowledged_unless_most_of_the_sentinels_tell_what_the_primary_is(
    sentinels: Sentinels,
) -> None:
    async with owner(sentinels.url, PREFIX, replicas=1) as owning:
        sentinels.sentinels[0].send(signal.SIGSTOP)
        await bounded(owning.put("a"))
        await bounded(owning.put("b"))
        sentinels.sentinels[1].kill()
        with pytest.raises(
            StoreDown, match=r"1 of 3 Sentinels say what the primary is: no answer; Error .*Connect call failed"
        ) as caught:
            await bounded(owning.put("c"))
        assert not caught.value.fate_known
        assert caught.value.fault.state is StorageState.READ_ONLY
        sentinels.sentinels[0].send(signal.SIGCONT)
        await reload_until_up(owning)
        await bounded(owning.put("d"))
        assert [item.uid for item in owning.record.queue] == ["a", "b", "c", "d"]


async def test_sentinels_that_all_hung_are_asked_again(sentinels: Sentinels) -> None:
    async with owner(sentinels.url, PREFIX, replicas=1) as owning:
        await owning.put("a")
        for sentinel in sentinels.sentinels:
            sentinel.send(signal.SIGSTOP)
        with pytest.raises(StoreDown, match="0 of 3 Sentinels say what the primary is: no answer"):
            await bounded(owning.put("b"))
        for sentinel in sentinels.sentinels:
            sentinel.send(signal.SIGCONT)
        # The first attempt is the one that begins to ask again.
        with suppress(StoreDown):
            await bounded(owning.store.load())
        owning.record = await bounded(owning.store.load())
        await bounded(owning.put("c"))
        assert [item.uid for item in owning.record.queue] == ["a", "b", "c"]


async def test_a_sentinel_that_hangs_does_not_delay_new_connections(
    sentinels: Sentinels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "SECONDS", 3600.0)
    sentinels.sentinels[0].send(signal.SIGSTOP)
    redis = connect(sentinels.url)
    await bounded(redis.ping())
    await redis.aclose()


async def test_no_connection_to_a_sentinel_stays_open_if_the_question_is_cancelled(sentinels: Sentinels) -> None:
    redis = connect(sentinels.url)
    pool: Any = redis.connection_pool
    for turns in [*range(60)] * 7:
        finding = asyncio.create_task(pool.sentinels.find())
        for _ in range(turns):
            await next_turn()
        finding.cancel()
        await asyncio.gather(finding, return_exceptions=True)
    await redis.aclose()
    # One that was forgotten warns, and that is an error here.
    gc.collect()


async def test_what_answers_instead_of_a_sentinel_counts_as_one_that_is_away(sentinels: Sentinels) -> None:
    async with another_service() as place:
        one, two, _ = sentinels.url.split("//")[1].split("/")[0].split(",")
        async with owner(f"redis+sentinel://{place},{one},{two}/{NAME}", PREFIX, replicas=1) as owning:
            await owning.put("a")
            sentinels.sentinels[0].kill()
            with pytest.raises(
                StoreDown, match="1 of 3 Sentinels say what the primary is: an answer that no Sentinel gives; "
            ):
                await bounded(owning.put("b"))
            with pytest.raises(RedisError, match=r"1 of 3 Sentinels agree on where .*an answer that no Sentinel gives"):
                await bounded(owning.redis.ping())


async def test_a_sentinel_that_did_not_answer_is_asked_again_although_nothing_is_changed(sentinels: Sentinels) -> None:
    questions: asyncio.Queue[bytes] = asyncio.Queue()
    async with another_service(questions) as place:
        one, two, _ = sentinels.url.split("//")[1].split("/")[0].split(",")
        async with owner(f"redis+sentinel://{place},{one},{two}/{NAME}", PREFIX, replicas=1) as owning:
            await owning.put("a")
            # More than one attempt needs.
            for _ in range(questions.qsize() + 30):
                await bounded(questions.get())


async def test_sentinels_that_do_not_allow_a_question_are_told_with_it(sentinels: Sentinels) -> None:
    async with owner(sentinels.url, PREFIX, replicas=1) as owning:
        sentinels.allow_only("GET-MASTER-ADDR-BY-NAME")
        with pytest.raises(
            StoreDown, match=r"0 of 3 Sentinels say what the primary is: SENTINEL MASTER: .*no permissions"
        ) as caught:
            await bounded(owning.put("a"))
        assert len(str(caught.value)) < 200


@asynccontextmanager
async def another_service(questions: asyncio.Queue[bytes] | None = None) -> AsyncIterator[str]:
    """A port where all questions get the same answer; they are put into a queue."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while words := await reader.read(65_536):
            if questions is not None:
                questions.put_nowait(words)
            writer.write(b"+OK\r\n" * words.count(b"*"))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", reserved_port())
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_most_of_the_sentinels_have_to_agree(sentinels: Sentinels) -> None:
    one = sentinels.url.split("//")[1].split(",")[0]
    gone = f"127.0.0.1:{reserved_port()}"
    for hosts, is_found in ((f"{one},{gone}", False), (one, True), (sentinels.url.split("//")[1].split("/")[0], True)):
        redis = connect(f"redis+sentinel://{hosts}/{NAME}")
        assert await answers(redis) is is_found
        await redis.aclose()
    redis = connect(f"redis+sentinel://{one}/another-name")
    with pytest.raises(RedisError, match="0 of 1 Sentinels agree on where another-name is: it does not know that name"):
        await redis.ping()
    await redis.aclose()


async def test_a_commit_counts_only_when_enough_replicas_have_it(sentinels: Sentinels) -> None:
    async with owner(sentinels.url, PREFIX, replicas=2) as owning:
        await owning.put("a")
        sentinels.replicas[0].process.send(signal.SIGSTOP)
        try:
            with pytest.raises(StoreDown, match="1 of 2 replicas have confirmed a change") as caught:
                await bounded(owning.put("b"))
            assert not caught.value.fate_known
            assert caught.value.fault.state is StorageState.READ_ONLY
            with pytest.raises(StoreDown, match="1 of 2 replicas"):
                await bounded(owning.store.load())
        finally:
            sentinels.replicas[0].process.send(signal.SIGCONT)
        await reload_until_up(owning)
        assert [item.uid for item in owning.record.queue] == ["a", "b"]
        await owning.put("c")


async def test_a_node_of_a_cluster_is_found_by_any_other_and_followed_when_it_is_replaced(cluster: Cluster) -> None:
    last = cluster.nodes[2].port
    async with owner(f"redis+cluster://127.0.0.1:{last}", PREFIX, replicas=1) as owning:
        assert await keys_in_use(owning.redis, PREFIX) == Keys(PREFIX)
        await owning.put("a", "b")
        with cluster.owner.connect() as node:
            assert node.exists(owning.keys.meta)
        cluster.promote_replica()
        with pytest.raises(StoreDown) as caught:
            await bounded(owning.put("c"))
        assert caught.value.fate_known
        await bounded(wait_for_answer(owning.redis))
        await reload_until_up(owning)
        assert [item.uid for item in owning.record.queue] == ["a", "b"]
        await owning.put("c")
        with cluster.replica.connect() as node:
            assert node.hlen(owning.keys.items) == 3


async def test_a_cluster_that_is_away_is_named_node_by_node() -> None:
    ports = (reserved_port(), reserved_port())
    redis = connect("redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports))
    with pytest.raises(RedisError) as caught:
        await redis.ping()
    fault = fault_of(caught.value)
    assert fault.state is StorageState.UNREACHABLE
    assert all(f"127.0.0.1:{port}" in fault.reason for port in ports)
    await redis.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "redis+sentinel://h",
        "redis+sentinel://h/",
        "redis+sentinel:///name",
        "redis+sentinel://h:port/name",
        "redis+sentinel://h,/name",
        "redis+sentinel://h/name/db",
        "redis+cluster://h/0",
        "redis+cluster://:SECRET@h:99999",
        "redis+other://h",
    ],
)
def test_an_address_that_can_not_be_understood_is_refused_with_the_forms_there_are(address: str) -> None:
    with pytest.raises(AddressError, match=r"redis\+sentinel://host1,host2,host3/primary-name/db") as caught:
        connect(address)
    assert "SECRET" not in str(caught.value)
