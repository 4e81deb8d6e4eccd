from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.embedded_redis import redis_server
from queueserver_standalone.embedded_redis.redis_server import (
    RedisProgram,
    ServerVersion,
    choose_program,
    find_programs,
)
from queueserver_standalone.errors import StandaloneError

from tests.harness.redis import RedisProcess


@pytest.mark.parametrize(
    ("reader", "writer", "able"),
    [
        (("redis", (6, 2, 14)), ("redis", (6, 2, 20)), True),
        (("redis", (7, 2, 0)), ("redis", (6, 2, 14)), True),
        (("redis", (6, 2, 14)), ("redis", (7, 0, 0)), False),
        (("valkey", (9, 1, 2)), ("redis", (7, 2, 5)), True),
        (("valkey", (9, 1, 2)), ("redis", (7, 4, 0)), False),
        (("redis", (8, 0, 0)), ("valkey", (7, 2, 5)), False),
        (("valkey", (8, 0, 0)), ("valkey", (9, 1, 2)), False),
    ],
)
def test_a_server_reads_the_files_of_older_ones_of_its_family(
    reader: tuple[str, tuple[int, int, int]], writer: tuple[str, tuple[int, int, int]], able: bool
) -> None:
    assert ServerVersion(*reader).can_read(ServerVersion(*writer)) is able


def test_a_program_is_found_and_remembered_with_the_data(tmp_path: Path) -> None:
    chosen = choose_program(tmp_path)
    assert chosen in find_programs()
    assert (tmp_path / "written-by").read_text(encoding="utf-8") == f"{chosen.version}\n{chosen.path}\n"
    assert choose_program(tmp_path) == chosen


def program(directory: Path, version: str, name: str = "redis-server") -> Path:
    """A program that tells a version, and does nothing else."""
    directory.mkdir()
    path = directory / name
    product = name.removesuffix("-server").capitalize()
    path.write_text(f"#!/bin/sh\necho '{product} server v={version} sha=00000000:0'\n", encoding="utf-8")
    path.chmod(0o700)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_the_newest_of_all_that_are_installed_is_taken_wherever_it_stands_in_the_path(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, newest, newer = (program(tmp_path / name, f"{name}.0.1") for name in ("97", "99", "98"))
    monkeypatch.setenv("PATH", ":".join(str(path.parent) for path in (older, newest, newer)))
    assert choose_program(data).path == newest


def test_the_program_that_wrote_the_data_is_found_again_when_the_path_has_changed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest, older = program(tmp_path / "new", "99.1.0"), program(tmp_path / "old", "98.0.0")
    monkeypatch.setenv("PATH", f"{newest.parent}:{older.parent}")
    chosen = choose_program(data)
    monkeypatch.setenv("PATH", str(older.parent))
    assert choose_program(data) == chosen
    newest.unlink()
    with pytest.raises(
        StandaloneError, match=rf"by redis 99\.1\.0 \({newest} is gone\).*redis 98\.0\.0 in {older.parent}"
    ):
        choose_program(data)


def test_data_stay_with_the_product_that_wrote_them_as_long_as_that_can_read_them(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "written-by").write_text("redis 6.2.14\n", encoding="utf-8")
    redis, valkey = program(tmp_path / "r", "98.0.0"), program(tmp_path / "v", "99.0.0", "valkey-server")
    monkeypatch.setenv("PATH", f"{valkey.parent}:{redis.parent}")
    assert choose_program(data).path == redis


@pytest.mark.parametrize("record", [None, "", "what is this?\n", "\udcff"])
def test_without_a_readable_record_the_form_of_the_files_tells_which_program_is_too_old(
    data: Path, monkeypatch: pytest.MonkeyPatch, record: str | None
) -> None:
    (data / "appendonlydir").mkdir()
    if record is not None:
        (data / "written-by").write_text(record, encoding="utf-8", errors="surrogateescape")
    older = RedisProgram(Path("/old/redis-server"), ServerVersion("redis", (6, 2, 14)))
    newer = RedisProgram(Path("/new/redis-server"), ServerVersion("redis", (7, 0, 0)))
    monkeypatch.setattr(redis_server, "find_programs", lambda _: [older])
    with pytest.raises(StandaloneError, match="can't read them"):
        choose_program(data)
    monkeypatch.setattr(redis_server, "find_programs", lambda _: [older, newer])
    assert choose_program(data) == newer


def test_a_record_that_can_not_be_written_is_told_and_the_one_before_stays(data: Path) -> None:
    (data / "written-by").write_text("redis 6.2.0\n", encoding="utf-8")
    (data / "written-by.new").mkdir()
    with pytest.raises(StandaloneError, match="can't be written: Is a directory"):
        choose_program(data)
    assert (data / "written-by").read_text(encoding="utf-8") == "redis 6.2.0\n"


def test_data_that_no_installed_program_can_read_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "written-by").write_text("redis 99.0.0\n", encoding="utf-8")
    with pytest.raises(StandaloneError, match=r"were written by redis 99\.0\.0"):
        choose_program(tmp_path)
    assert (tmp_path / "written-by").read_text(encoding="utf-8") == "redis 99.0.0\n"


def test_what_was_written_survives_a_kill(redis_server: RedisProcess) -> None:
    with redis_server.connect() as client:
        client.set("key", "value")
    redis_server.kill()
    redis_server.start()
    with redis_server.connect() as client:
        assert client.get("key") == b"value"
