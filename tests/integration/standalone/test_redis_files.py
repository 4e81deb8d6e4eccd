"""Files that a kill or a power failure left behind: put in order, and nothing that was answered is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.embedded_redis.redis_files import put_in_order

from tests.harness.redis import RedisProcess

LOG = "appendonly.aof"


def test_what_a_redis_left_that_was_killed_while_it_rewrote_its_files_is_removed(tmp_path: Path) -> None:
    for name in ("appendonly.aof", "temp-rewriteaof-12.aof", "temp-rewriteaof-bg-12.aof", "temp-12.rdb", "written-by"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    put_in_order(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["appendonly.aof", "written-by"]


@pytest.mark.parametrize("tail", [bytes(16), bytes(4096), bytes(200_000)])
def test_zeros_at_the_end_of_the_log_cost_nothing_that_was_answered(
    redis_server: RedisProcess, short_path: Path, tail: bytes
) -> None:
    with redis_server.connect() as store:
        store.eval("redis.call('SET', 'a', '1'); redis.call('SET', 'b', ARGV[1])", 0, bytes(100))
    redis_server.kill()
    (log,) = [*short_path.glob(LOG), *short_path.glob("appendonlydir/*.incr.aof")]
    whole = log.read_bytes()
    log.write_bytes(whole + tail)
    put_in_order(short_path)
    assert log.read_bytes() == whole
    redis_server.start()
    with redis_server.connect() as store:
        assert (store.get("a"), store.get("b")) == (b"1", bytes(100))


@pytest.mark.parametrize(
    "content",
    [
        b"*1\r\n$4\r\nPING\r\n",
        b"*1\r\n$4\r\nPING\r\n" + bytes(15),
        b"REDIS0009\xff\x01\x02\x03" + bytes(16),
        bytes(5000),
        b"",
        b"\n" + bytes(64),
    ],
    ids=["well", "a few zeros", "a checksum before them", "nothing but zeros", "empty", "no line end"],
)
def test_any_other_end_is_left_to_redis(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOG).write_bytes(content)
    put_in_order(tmp_path)
    assert (tmp_path / LOG).read_bytes() == content
