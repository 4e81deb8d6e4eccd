"""Every method of REManagerAPI against a server; runs where that is installed.

``api_walk.py sync|async CONTROL INFO`` over 0MQ, ``api_walk.py http|http-async URL KEY`` through bluesky-httpserver.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from typing import Any

from bluesky_queueserver_api import BFunc, BInst, BPlan

#: Of the object itself, not of the server.
OWN = {
    "close",
    "console_monitor",
    "default_lock_key_path",
    "enable_locked_api",
    "get_default_lock_key",
    "lock_key",
    "protocol",
    "request_fail_exceptions_enabled",
    "set_default_lock_key",
    "set_user_name_to_login_name",
    "system_info_monitor",
    "user",
    "user_group",
}
WAIT = 30
PLAN = BPlan("count", ["det1", "det2"], num=3, delay=0.05)
LONG = BPlan("count", ["det1"], num=200, delay=0.1)


class Walk:
    """Calls methods, awaits what they return if necessary, and notes their names."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.called: set[str] = set()

    async def __call__(self, name: str, *args: Any, **kwargs: Any) -> Any:
        self.called.add(name)
        result = getattr(self.api, name)(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    async def refused(self, name: str, *args: Any, **kwargs: Any) -> str:
        try:
            await self(name, *args, **kwargs)
        except self.api.RequestFailedError as error:
            return str(error)
        raise AssertionError(f"{name}{args}{kwargs} was not refused")


async def queue(walk: Walk) -> None:
    added = await walk("item_add", PLAN)
    assert added["qsize"] == 1, added
    assert added["item"]["name"] == "count", added
    first = added["item"]["item_uid"]
    await walk("item_add", BInst("queue_stop"), pos="front")
    got = await walk("queue_get")
    assert [item["name"] for item in got["items"]] == ["queue_stop", "count"], got
    assert (await walk("item_get", uid=first))["item"]["kwargs"] == {"num": 3, "delay": 0.05}
    await walk("item_move", pos="front", pos_dest="back")
    assert (await walk("item_get"))["item"]["name"] == "queue_stop"
    await walk("item_remove")
    batch = await walk("item_add_batch", [PLAN, LONG, PLAN])
    uids = [item["item_uid"] for item in batch["items"]]
    assert all(result["success"] for result in batch["results"]), batch
    await walk("item_move_batch", uids=uids[::-1], pos_dest="front")
    order = [item["item_uid"] for item in (await walk("queue_get"))["items"]]
    assert order == [*uids[::-1], first], order
    changed = BPlan("count", ["det1"], num=1)
    changed.item_uid = uids[1]
    assert (await walk("item_update", changed, replace=False))["item"]["item_uid"] == uids[1]
    assert "not in the list of allowed plans" in await walk.refused("item_add", BPlan("no_such_plan"))
    assert "Plan validation failed" in await walk.refused("item_add", BPlan("count"))
    await walk("item_remove_batch", uids=uids)
    await walk("queue_mode_set", loop=True)
    assert (await walk("status", reload=True))["plan_queue_mode"] == {"loop": True, "ignore_failures": False}
    await walk("queue_mode_set", mode="default")


async def execution(walk: Walk) -> None:
    assert "does not exist" in await walk.refused("queue_start")
    await walk("environment_open")
    await walk("wait_for_idle", timeout=WAIT)
    assert "already exists" in await walk.refused("environment_open")
    await walk("queue_start")
    await walk("wait_for_idle_or_running", timeout=WAIT)
    await walk("wait_for_idle", timeout=WAIT)
    history = await walk("history_get")
    assert [item["result"]["exit_status"] for item in history["items"]] == ["completed"], history
    assert len(history["items"][0]["result"]["run_uids"]) == 1, history
    for end, status in (("re_stop", "stopped"), ("re_abort", "aborted"), ("re_halt", "halted")):
        await walk("item_execute", LONG)
        await walk("wait_for_condition", lambda status: status["re_state"] == "running", timeout=WAIT)
        assert len((await walk("re_runs"))["run_list"]) <= 1
        await walk("re_pause", option="immediate")
        await walk("wait_for_idle_or_paused", timeout=WAIT)
        assert (await walk("status", reload=True))["manager_state"] == "paused"
        if end == "re_stop":
            await walk("re_resume")
            await walk("wait_for_condition", lambda status: status["re_state"] == "running", timeout=WAIT)
            await walk("re_pause")
            await walk("wait_for_idle_or_paused", timeout=WAIT)
        await walk(end)
        await walk("wait_for_idle", timeout=WAIT)
        assert (await walk("history_get"))["items"][-1]["result"]["exit_status"] == status
    await walk("item_add", LONG)
    await walk("queue_start")
    await walk("wait_for_condition", lambda status: status["re_state"] == "running", timeout=WAIT)
    await walk("queue_stop")
    assert (await walk("status", reload=True))["queue_stop_pending"] is True
    await walk("queue_stop_cancel")
    await walk("environment_destroy")
    await walk("wait_for_idle", timeout=WAIT)
    assert (await walk("queue_get"))["items"][0]["name"] == "count"
    await walk("queue_clear")
    await walk("environment_open")
    await walk("wait_for_idle", timeout=WAIT)
    await walk("queue_autostart", True)
    await walk("item_add", PLAN)
    await walk("wait_for_condition", lambda status: status["items_in_queue"] == 0, timeout=WAIT)
    await walk("wait_for_idle", timeout=WAIT)
    await walk("queue_autostart", False)
    await walk("history_clear")
    assert (await walk("history_get"))["items"] == []


async def tasks(walk: Walk) -> None:
    uploaded = await walk("script_upload", "found_by_walk = 5")
    await walk("wait_for_completed_task", uploaded["task_uid"], timeout=WAIT)
    assert (await walk("task_result", uploaded["task_uid"]))["result"]["success"] is True
    called = await walk("function_execute", BFunc("function_sleep", 0.2))
    assert called["item"]["item_uid"] == called["task_uid"], called
    await walk("wait_for_completed_task", called["task_uid"], timeout=WAIT)
    assert (await walk("task_status", called["task_uid"]))["status"] == "completed"
    assert (await walk("task_result", called["task_uid"]))["result"]["return_value"], called
    updated = await walk("environment_update")
    await walk("wait_for_completed_task", updated["task_uid"], timeout=WAIT)


async def lists_and_permissions(walk: Walk) -> None:
    for name in ("plans_allowed", "devices_allowed", "plans_existing", "devices_existing"):
        assert (await walk(name))[name]
    assert (await walk("config_get"))["config"] == {"ip_connect_info": {}}
    permissions = (await walk("permissions_get"))["user_group_permissions"]
    assert "root" in permissions["user_groups"]
    await walk("permissions_set", permissions)
    await walk("permissions_reload")
    assert "IPython" in await walk.refused("kernel_interrupt")


async def locks(walk: Walk) -> None:
    walk.api.lock_key = "walk"
    await walk("lock", environment=True, note="first")
    await walk("lock_environment")
    await walk("lock_queue")
    info = (await walk("lock_all", note="all"))["lock_info"]
    assert (info["environment"], info["queue"], info["note"]) == (True, True, "all"), info
    assert "Invalid lock key" in await walk.refused("queue_clear")
    assert (await walk("lock_info"))["lock_info"]["queue"] is True
    assert (await walk("unlock"))["lock_info"]["queue"] is False


async def monitors(walk: Walk) -> None:
    console, system = walk.api.console_monitor, walk.api.system_info_monitor
    console.enable()
    system.enable()
    # A monitor does not say from when on it listens: the plan tells of its end some seconds later.
    await walk("item_execute", BPlan("count", ["det1"], num=40, delay=0.1))
    text = ""
    while "Run was closed" not in text:
        message = console.next_msg(timeout=10)
        text += (await message if inspect.isawaitable(message) else message)["msg"]
    message = system.next_msg(timeout=10)
    told = await message if inspect.isawaitable(message) else message
    assert "manager_state" in told["msg"]["status"], told
    for monitor in (console, system):
        done = monitor.disable_wait(timeout=10)
        if inspect.isawaitable(done):
            await done
    await walk("wait_for_idle", timeout=WAIT)


def make(kind: str, first: str, second: str) -> Any:
    """The object, of the module for this kind, in the running event loop."""
    module = {"sync": "zmq", "async": "zmq.aio", "http": "http", "http-async": "http.aio"}[kind]
    made = importlib.import_module(f"bluesky_queueserver_api.{module}").REManagerAPI
    if not kind.startswith("http"):
        return made(zmq_control_addr=first, zmq_info_addr=second)
    api = made(http_server_uri=first)
    api.set_authorization_key(api_key=second)
    return api


async def main(kind: str, first: str, second: str) -> None:
    api = make(kind, first, second)
    walk = Walk(api)
    try:
        assert (await walk("ping"))["msg"].startswith("RE Manager")
        if (await walk("status"))["worker_environment_exists"]:
            await walk("environment_destroy")
            await walk("wait_for_idle", timeout=WAIT)
        await walk("history_clear")
        await walk("queue_clear")
        for part in (queue, execution, tasks, lists_and_permissions, locks, monitors):
            await part(walk)
            sys.stdout.write(f"{part.__name__}: done\n")
        await walk("environment_close")
        await walk("wait_for_idle", timeout=WAIT)
        raw = await walk("send_request", method="status")
        assert raw["worker_environment_exists"] is False
    finally:
        closed = api.close()
        if inspect.isawaitable(closed):
            await closed
    public = {name for name in dir(api) if name[0].islower()}
    sys.stdout.write(f"not called: {sorted(public - walk.called - OWN)}\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
