from __future__ import annotations

from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information
import pytest
from queueserver_client import AsyncClient, EventKind, ExitStatus, FailureCause, Plan, RunEngineMissing

from tests.harness.redis import RedisProcess, new_password
from tests.harness.stack import Part, Stack, running_stack, short_directory
from tests.harness.wait import bounded, first

FOREVER = Plan("count", ["det1"], num=100_000, delay=1)


async def start_long_plan(client: AsyncClient) -> None:
    async with client.watch([EventKind.QUEUE, EventKind.DOCUMENT]) as watch:
        await bounded(client.queue.add(FOREVER))
        await bounded(client.queue.start())
        await first(watch, lambda event: getattr(getattr(event, "document", None), "name", "") == "event")


async def test_its_first_lines_tell_where_it_listens_and_what_to_type_next(stack: Stack, client: AsyncClient) -> None:
    assert (await client.status()).environment_exists is False
    stack.supervisor.output.wait_for("Ctrl-C stops everything.")
    log = str(stack.supervisor.output)
    assert f"clients connect to {stack.address}" in log
    assert f"Data: {stack.data_directory}" in log
    for command in (
        "qserver environment open --wait",
        "qserver queue add plan",
        f"grpcurl -plaintext {stack.address} list",
    ):
        assert command in log


def test_ctrl_c_stops_everything_with_exit_code_0() -> None:
    with running_stack() as stack:
        pids = stack.pids()
        assert len(pids) == 3
        assert stack.stop() == 0
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
        stack.supervisor.output.wait_for("Stopped.")
        assert "The Worker was stopped" in stack.log()
        assert "can't be reached" not in stack.log()


@pytest.mark.parametrize("part", ["manager", "worker", "redis"])
async def test_a_killed_part_is_started_again_and_the_queue_is_there(
    stack: Stack, client: AsyncClient, part: Part
) -> None:
    await client.environment.open()
    handles = await client.queue.add_batch([Plan("count", ["det1"], num=number) for number in (1, 2, 3)])
    address = stack.address
    stack.kill_and_wait_for_restart(part)
    async with AsyncClient(address) as newcomer, newcomer.watch() as watch:
        snapshot = await first(watch, lambda _: True)
    assert [item.uid for item in snapshot.queue] == [handle.uid for handle in handles]


async def test_everything_is_there_after_a_kill_of_all_and_a_new_start(stack: Stack, client: AsyncClient) -> None:
    await client.environment.open()
    handles = await client.queue.add_batch([Plan("count", ["det1"], num=number) for number in range(1, 101)])
    stack.kill_all()
    stack.start()
    async with AsyncClient(stack.address) as newcomer:
        assert [item.uid async for item in newcomer.queue.list()] == [handle.uid for handle in handles]


async def test_a_kill_of_the_supervisor_kills_its_children_and_the_environment(
    open_stack: Stack, client: AsyncClient
) -> None:
    await start_long_plan(client)
    assert len(open_stack.pids()) == 4
    open_stack.kill_all()


async def test_a_stop_ends_the_running_plan_in_good_order_and_keeps_its_outcome(
    open_stack: Stack, client: AsyncClient
) -> None:
    await start_long_plan(client)
    assert open_stack.stop() == 0
    open_stack.start()
    async with AsyncClient(open_stack.address) as newcomer:
        entries = [entry async for entry in newcomer.history.list()]
        waiting = [item async for item in newcomer.queue.list()]
    assert [entry.result.exit_status for entry in entries] == [ExitStatus.FAILED]
    assert entries[0].result.failure_cause is FailureCause.SHUTDOWN
    assert [run.exit_status for run in entries[0].result.runs] == ["abort"]
    assert [(item.retry_of_uid, item.attempt) for item in waiting] == [(entries[0].item.uid, 2)]


async def test_an_existing_redis_is_used_and_its_password_not_shown() -> None:
    password = new_password()
    with short_directory() as directory:
        redis = RedisProcess(directory, tcp=True, password=password)
        try:
            with running_stack("--redis-addr", redis.url, "--key-prefix", "beamline") as stack:
                assert len(stack.pids()) == 2
                async with AsyncClient(stack.address) as client:
                    await client.environment.open()
                    await client.queue.add(Plan("count", ["det1"]))
                with redis.connect() as connection:
                    assert connection.hlen("{beamline}:items") == 1
                shown = [" ".join(psutil.Process(pid).cmdline()) for pid in stack.pids()]
                assert len(shown) == 3
                stack.supervisor.output.wait_for("***")
                assert password not in "\n".join([*shown, stack.log()])
        finally:
            redis.close()


def test_an_address_of_redis_in_the_environment_is_for_the_manager_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    password = new_password()
    with short_directory() as directory:
        redis = RedisProcess(directory, tcp=True, password=password)
        try:
            monkeypatch.setenv("QSERVER_REDIS_URL", redis.url)
            with running_stack() as stack:
                processes = [psutil.Process(pid) for pid in (stack.supervisor.pid, *stack.pids())]
                assert len(processes) == 3
                assert not [process for process in processes if password in " ".join(process.cmdline())]
                assert password in str(psutil.Process(stack.pid("manager")).environ())
                assert password not in str(psutil.Process(stack.pid("worker")).environ())
        finally:
            redis.close()


async def test_what_startup_code_and_plans_print_appears_in_its_terminal(
    open_stack: Stack, client: AsyncClient
) -> None:
    await client.queue.add(Plan("count", ["det1"], num=3))
    await client.queue.start()
    output = open_stack.supervisor.output
    output.wait_for("ready: ")
    output.wait_for("seq_num")
    output.wait_for("(scan num: 1)")


async def test_without_a_default_run_engine_startup_code_that_makes_none_has_none(tmp_path: Path) -> None:
    script = tmp_path / "startup.py"
    script.write_text("print('hello from the startup code')\ndef nothing():\n    yield from ()\n")
    with running_stack("--keep-re", "--console-output", "OFF", startup=script) as stack:
        async with AsyncClient(stack.address) as client:
            await client.environment.open()
            await client.queue.add(Plan("nothing"))
            with pytest.raises(RunEngineMissing):
                await client.queue.start()
        assert stack.stop() == 0
        stack.supervisor.output.wait_until_ended()
        assert "hello from" not in stack.log()
