"""``qserver-import`` fills a real server from what a real bluesky-queueserver 0.0.25 wrote."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from queueserver_client import Client, EventKind, HistoryAdded, InterruptedPolicy, Locked, Plan, Snapshot

from tests.harness.stack import Stack
from tests.integration.import_state.conftest import COMMAND, KEY, WRITTEN, Import, OldRedis

QUEUE: list[dict[str, Any]] = [json.loads(text) for text in WRITTEN["qs_default_plan_queue"]]
HISTORY: list[dict[str, Any]] = [json.loads(text) for text in WRITTEN["qs_default_plan_history"]]
RUNNING: dict[str, Any] = json.loads(WRITTEN["qs_default_running_plan"])
NAMES = ("plan_queue", "plan_history", "running_plan", "plan_queue_mode", "user_group_permissions", "lock_info")


def many(count: int) -> dict[str, Any]:
    """A long queue and history."""
    item = {"item_type": "plan", "name": "count", "args": [["det1"]], "user": "Anna", "user_group": "primary"}
    result = {"exit_status": "completed", "run_uids": ["r"], "scan_ids": [1], "time_start": 10.5, "time_stop": 12.5}
    return {
        "qs_default_plan_queue": [json.dumps({**item, "item_uid": f"q{n}"}) for n in range(count)],
        "qs_default_plan_history": [json.dumps({**item, "item_uid": f"h{n}", "result": result}) for n in range(count)],
    }


def state_of(client: Client) -> tuple[Any, ...]:
    """Everything that an import could change."""
    status, lock = client.status(), client.lock.get()
    return (
        list(client.queue.list()),
        list(client.history.list()),
        client.permissions.get().user_group_permissions,
        (status.queue_mode, status.queue_autostart_enabled, status.revision),
        (lock.lock, lock.key_fits),
    )


def assert_imported(client: Client) -> None:
    """The server is as the old one was."""
    items = list(client.queue.list())
    assert [item.uid for item in items[1:]] == [item["item_uid"] for item in QUEUE]
    for item, old in zip(items[1:], QUEUE, strict=True):
        assert (item.name, item.user, item.user_group) == (old["name"], old["user"], old["user_group"])
        assert list(item.args or ()) == old.get("args", [])
        assert dict(item.kwargs or {}) == old.get("kwargs", {})
        assert dict(item.meta or {}) == old.get("meta", {})
        assert dict(item.properties or {}) == old.get("properties", {})
    assert (items[0].name, items[0].user, items[0].attempt) == ("count", "Cleo", 2)
    assert items[0].retry_of_uid == RUNNING["item_uid"]
    entries = list(client.history.list())
    assert [entry.item.uid for entry in entries] == [*(old["item_uid"] for old in HISTORY), RUNNING["item_uid"]]
    for entry, old in zip(entries, HISTORY, strict=False):
        result = old["result"]
        assert entry.result.exit_status.value == result["exit_status"]
        assert [run.uid for run in entry.result.runs] == result["run_uids"]
        assert [run.scan_id for run in entry.result.runs] == result["scan_ids"]
        assert (entry.result.message, entry.result.traceback) == (result["msg"], result["traceback"])
        assert entry.result.stop_time is not None
        assert entry.result.stop_time.timestamp() == pytest.approx(result["time_stop"], abs=1e-5)
    assert entries[-1].result.failure_cause.value == "shutdown"
    assert entries[-1].requeued_as_uid == items[0].uid
    assert_settings_imported(client)


def assert_settings_imported(client: Client) -> None:
    permissions = client.permissions.get().user_group_permissions["user_groups"]
    old = json.loads(WRITTEN["qs_default_user_group_permissions"])["user_groups"]
    assert set(permissions) == set(old)
    assert permissions["visitors"] == {**old["visitors"], "forbidden_functions": [None]}
    status = client.status()
    assert (status.queue_mode.loop, status.queue_mode.ignore_failures) == (True, True)
    assert status.queue_autostart_enabled
    lock = client.lock.get()
    held = json.loads(WRITTEN["qs_default_lock_info"])
    assert lock.key_fits
    assert (lock.lock.environment, lock.lock.queue) == (True, True)
    assert (lock.lock.user, lock.lock.note) == (held["user"], held["note"])
    assert lock.lock.time is not None
    assert lock.lock.time.timestamp() == pytest.approx(held["time"], abs=1e-5)


@pytest.mark.usefixtures("old_redis")
def test_what_would_be_imported_is_shown_and_nothing_is_changed(
    target: Stack, client: Client, run_import: Import
) -> None:
    before = state_of(client)
    shown = run_import(address=target.address)
    assert (shown.returncode, shown.stderr) == (0, "")
    for words in (
        *("9 items", "6 entries", "visitors", "loop on, ignore_failures on", "environment and queue, by Anna"),
        *(
            "beam until Monday",
            "The plan count of Cleo (06faded6-3e61-4188-8032-66e8de08d58f) was running",
            "autostart    on",
            "Add --apply",
        ),
    ):
        assert words in shown.stdout
    assert KEY not in shown.stdout
    told = json.loads(run_import("--json", address=target.address).stdout)
    assert (told["queue"]["items"], told["history"]["entries"], told["applied"]) == (9, 6, False)
    assert state_of(client) == before


@pytest.mark.usefixtures("old_redis")
def test_everything_is_as_it_was_and_a_second_import_changes_nothing(
    target: Stack, client: Client, run_import: Import
) -> None:
    done = run_import("--apply", address=target.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Imported: 9 items and 6 entries." in done.stdout
    assert_imported(client)
    client.queue.remove("back")
    after = state_of(client)
    again = run_import("--apply", address=target.address)
    assert (again.returncode, "Nothing to do" in again.stdout) == (0, True)
    assert state_of(client) == after
    target.kill("manager")
    client.history.clear()
    assert run_import("--apply", address=target.address).returncode == 0
    assert list(client.history.list()) == []


@pytest.mark.usefixtures("old_redis")
def test_others_need_the_key_of_the_old_lock(target: Stack, run_import: Import) -> None:
    assert run_import("--apply", address=target.address).returncode == 0
    with Client(target.address) as other, pytest.raises(Locked):
        other.queue.add(Plan("count", ["det1"]))


@pytest.mark.usefixtures("old_redis")
def test_an_item_that_ran_is_held_where_interrupted_items_are(
    target: Stack, client: Client, run_import: Import
) -> None:
    client.queue.set_mode(interrupted=InterruptedPolicy.HOLD)
    assert run_import("--apply", address=target.address).returncode == 0
    assert client.queue.get("front").item.held


def test_an_import_that_was_killed_goes_on_where_it_was(
    empty_redis: OldRedis, target: Stack, client: Client, run_import: Import
) -> None:
    empty_redis.write(many(6000))
    command = [COMMAND, "--redis-addr", empty_redis.url, "--address", target.address, "--apply"]
    with client.watch([EventKind.HISTORY]) as watch:
        assert isinstance(next(watch), Snapshot)
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert isinstance(next(watch), HistoryAdded)
            process.kill()
    begun = client.status()
    assert 0 < begun.items_in_history + begun.items_in_queue < 12_000
    check = run_import(address=target.address)
    assert "Add --apply to go on" in check.stdout
    assert run_import("--apply", address=target.address).returncode == 0
    assert [item.uid for item in client.queue.list()] == [f"q{n}" for n in range(6000)]
    assert [entry.item.uid for entry in client.history.list()] == [f"h{n}" for n in range(6000)]


@pytest.mark.usefixtures("old_redis")
def test_a_server_that_is_not_empty_needs_a_word(target: Stack, client: Client, run_import: Import) -> None:
    mine = client.queue.add(Plan("count", ["det1"]))
    before = state_of(client)
    refused = run_import("--apply", address=target.address)
    assert (refused.returncode, "--into-existing" in refused.stdout) == (2, True)
    assert state_of(client) == before
    assert run_import("--apply", "--into-existing", address=target.address).returncode == 0
    items = list(client.queue.list())
    assert (items[0].uid, len(items)) == (mine.uid, 10)


def test_what_the_old_server_did_after_an_import_is_added_and_nothing_twice(
    empty_redis: OldRedis, target: Stack, client: Client, run_import: Import
) -> None:
    empty_redis.write(many(3))
    assert run_import("--apply", address=target.address).returncode == 0
    with empty_redis.process.connect() as redis:
        redis.rpush("qs_default_plan_queue", many(4)["qs_default_plan_queue"][3])
    assert run_import("--apply", address=target.address).returncode == 2
    done = run_import("--apply", "--into-existing", address=target.address)
    assert (done.returncode, "of which 6 were there already" in done.stdout) == (0, True)
    assert [item.uid for item in client.queue.list()] == ["q0", "q1", "q2", "q3"]
    assert len(list(client.history.list())) == 3


def test_broken_elements_are_told_and_left_out(
    empty_redis: OldRedis, target: Stack, client: Client, run_import: Import
) -> None:
    whole = many(1)
    item = json.loads(whole["qs_default_plan_queue"][0])
    broken = [
        *("no JSON", "[]", "5", '"text"', "[" * 5000, json.dumps({**item, "item_uid": None})),
        *(json.dumps({**item, "item_uid": "x", **wrong}) for wrong in WRONG_ITEMS),
    ]
    history = ["{}", json.dumps({**item, "result": {"exit_status": "exploded"}}), *whole["qs_default_plan_history"]]
    empty_redis.write({"qs_default_plan_queue": [*broken, json.dumps(item)], "qs_default_plan_history": history})
    empty_redis.write(
        {f"qs_default_{name}": "not JSON" for name in NAMES if name not in {"plan_queue", "plan_history"}}
    )
    locked = run_import("--apply", address=target.address)
    assert (locked.returncode, "--without lock" in locked.stdout) == (2, True)
    done = run_import("--apply", "--without", "lock", "--json", address=target.address)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    # Those of the lists, and the running plan, the mode and the permissions.
    assert told["left_out"]["count"] == len(broken) + 2 + 3
    assert any("plan_queue[0] is not JSON" in problem for problem in told["left_out"]["problems"])
    assert [one.uid for one in client.queue.list()] == ["q0"]
    assert [entry.item.uid for entry in client.history.list()] == ["h0"]


def test_times_beyond_all_clocks_are_left_out_of_what_is_imported(
    empty_redis: OldRedis, target: Stack, client: Client, run_import: Import
) -> None:
    ended: dict[str, Any] = json.loads(many(1)["qs_default_plan_history"][0])
    ended["result"] |= {"time_start": 1.5, "time_stop": 10**400}
    running = {**ended, "item_uid": "r0", "properties": {"time_start": 10**400}}
    lock = {"environment": True, "queue": True, "user": "Anna", "note": None, "time": 10**400, "lock_key": KEY}
    empty_redis.write({"qs_default_plan_history": [json.dumps(ended)], "qs_default_running_plan": json.dumps(running)})
    empty_redis.write({"qs_default_lock_info": json.dumps(lock)})
    done = run_import("--apply", "--stopped", address=target.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert [entry.item.uid for entry in client.history.list()] == ["h0", "r0"]
    assert client.lock.get().lock.user == "Anna"


@pytest.mark.parametrize("key", ["\ud800", "k" * 129])
def test_a_lock_with_a_key_that_nobody_could_give_is_not_imported(
    empty_redis: OldRedis, target: Stack, run_import: Import, key: str
) -> None:
    lock = {"environment": True, "queue": True, "user": "Anna", "note": None, "time": 1.5, "lock_key": key}
    empty_redis.write({"qs_default_lock_info": json.dumps(lock)})
    done = run_import("--apply", address=target.address)
    assert (done.returncode, done.stderr, "--without lock" in done.stdout) == (2, "", True)


@pytest.mark.usefixtures("old_redis")
def test_a_server_that_is_locked_with_another_key_than_the_old_one_says_which_lock_to_leave_out(
    target: Stack, run_import: Import
) -> None:
    with Client(target.address, lock_key="another key") as other:
        other.lock.acquire(environment=True, queue=True)
    refused = run_import("--apply", "--lock-key", "another key", address=target.address)
    assert (refused.returncode, "--without lock" in refused.stdout) == (2, True)
    done = run_import("--apply", "--lock-key", "another key", "--without", "lock", address=target.address)
    assert done.returncode == 0


WRONG_ITEMS: list[dict[str, Any]] = [
    {"item_type": "function"},
    {"item_type": None},
    {"name": ""},
    {"name": 5},
    {"name": "\ud800"},
    {"args": {"a": 1}},
    {"kwargs": [1]},
    {"meta": 7},
    {"meta": [1]},
    {"kwargs": {"n": 2**60}},
    {"kwargs": {"n": float("nan")}},
    {"kwargs": {"text": "x" * 1_100_000}},
    {"args": [[0] * 20_000]},
    {"kwargs": {"text": "\ud800"}},
]


def test_keys_of_another_type_are_told(empty_redis: OldRedis, target: Stack, run_import: Import) -> None:
    with empty_redis.process.connect() as redis:
        for name in NAMES:
            redis.hset(f"qs_default_{name}", "a", "b")
    shown = run_import("--json", "--without", "lock", address=target.address)
    assert shown.stderr == ""
    assert json.loads(shown.stdout)["left_out"]["count"] == 5


def test_the_old_configuration_says_where_its_redis_is_and_what_its_startup_code_is(
    empty_redis: OldRedis, tmp_path: Any
) -> None:
    empty_redis.write(WRITTEN, prefix="")
    config = tmp_path / "config"
    config.mkdir()
    (config / "network.yml").write_text(f"network:\n  redis_addr: '{empty_redis.url}'\n  redis_name_prefix: ''\n")
    (config / "startup.yml").write_text("startup:\n  startup_dir: ${NOWHERE_IN_PARTICULAR}/startup\n  keep_re: true\n")
    shown = subprocess.run(
        [COMMAND, "--config", config, "--address", "127.0.0.1:1", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told = json.loads(shown.stdout)
    assert (told["queue"]["items"], told["history"]["entries"]) == (9, 6)
    assert told["startup_options"] == {"--startup-dir": "${NOWHERE_IN_PARTICULAR}/startup"}


def test_permissions_come_from_the_file_if_redis_has_none(
    empty_redis: OldRedis, target: Stack, client: Client, run_import: Import, tmp_path: Any
) -> None:
    empty_redis.write(many(1))
    file = tmp_path / "permissions.yaml"
    file.write_text("user_groups:\n  root: {}\n  primary: {allowed_plans: [count]}\n")
    config = tmp_path / "config.yml"
    config.write_text(f"startup:\n  user_group_permissions_path: {file}\n")
    assert run_import("--apply", "--config", str(config), address=target.address).returncode == 0
    groups = client.permissions.get().user_group_permissions["user_groups"]
    assert set(groups) == {"root", "primary"}


def test_a_plan_that_may_still_be_running_is_not_imported(
    empty_redis: OldRedis, target: Stack, client: Client, run_import: Import
) -> None:
    empty_redis.write(WRITTEN)
    with empty_redis.process.connect() as old_server:
        old_server.ping()
        refused = run_import("--apply", address=target.address)
        assert (refused.returncode, "--stopped" in refused.stdout) == (2, True)
        assert client.status().items_in_queue == 0
        assert run_import("--apply", "--stopped", address=target.address).returncode == 0


def test_what_is_nowhere_is_told_with_the_way_out(empty_redis: OldRedis, run_import: Import) -> None:
    nothing = run_import()
    assert (nothing.returncode, "--redis-name-prefix" in nothing.stderr) == (2, True)
    empty_redis.write(many(1))
    away = run_import("--apply")
    assert away.returncode == 3
    assert "127.0.0.1:1" in away.stderr
    shown = run_import()
    assert (shown.returncode, "1 item" in shown.stdout, "127.0.0.1:1" in shown.stdout) == (3, True, True)
    no_redis = run_import(redis="127.0.0.1:1")
    assert (no_redis.returncode, "--redis-addr" in no_redis.stderr) == (3, True)
