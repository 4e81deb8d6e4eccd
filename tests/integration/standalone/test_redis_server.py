from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.redis_server import ServerVersion, choose_program, find_programs

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
    assert (tmp_path / "written-by").read_text(encoding="utf-8") == f"{chosen.version}\n"
    assert choose_program(tmp_path) == chosen


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
