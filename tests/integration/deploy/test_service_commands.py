"""The command lines of docker-compose.yml run: on this machine, on free ports, in the order that is worst."""

from __future__ import annotations

from pathlib import Path

import pytest
import zmq

from tests.harness.health import serving, wait_until_serving
from tests.integration.deploy.compose_file import composition
from tests.integration.deploy.service_processes import services
from tests.zmq_bridge.old_client import OldClient
from tests.zmq_bridge.subscriber import Subscriber


async def test_each_service_waits_for_what_it_needs_and_says_so_and_then_a_scan_runs(tmp_path: Path) -> None:
    with services(tmp_path) as here:
        here.start("manager")
        code, text = here.probe("manager")
        assert code == 1
        assert "QueueService" in text
        assert await serving(here.address) == {"Status"}

        here.start_redis()
        await wait_until_serving(here.address, "Queue")
        code, text = here.probe("manager")
        assert (code, "EnvironmentService" in text, "QueueService" in text) == (0, True, False)

        here.start("worker")
        await wait_until_serving(here.address, "Task")
        assert (here.probe("manager"), here.probe("worker")) == ((0, "serving"), (0, "serving"))

        assert "admin" in here.qserver("permissions", "get")
        here.qserver("environment", "open", "--wait")
        here.qserver("queue", "add", "plan", '{"name": "scan", "args": [["det"], "motor", -1, 1, 5]}')
        here.qserver("queue", "start", "--wait")
        assert "completed" in here.qserver("history", "get")


async def test_the_second_manager_is_a_healthy_standby_and_takes_over_when_the_first_is_killed(tmp_path: Path) -> None:
    with services(tmp_path) as here:
        here.start_redis()
        first = here.start("manager")
        await wait_until_serving(here.address, "Queue")
        second = here.start("second-manager")
        second.output.wait_for(f"Standby: connected to the owner at {here.address}")
        code, text = here.probe("second-manager")
        assert (code, text) == (0, f"standby: the Manager at {here.address} owns the queue")
        first.kill()
        second.output.wait_for("waits for requests")
        code, text = here.probe("second-manager")
        assert (code, "serving" in text) == (0, True)


async def test_variables_choose_startup_code_and_more_options(tmp_path: Path) -> None:
    startup = tmp_path / "beamline"
    startup.mkdir()
    (startup / "00.py").write_text("def quick():\n    yield from ()\n")
    chosen = {
        "QSERVER_STARTUP_DIR": str(startup),
        "QSERVER_MANAGER_OPTIONS": "--scripts OFF --permitted-re-metadata-keys /a *",
        "QSERVER_WORKER_OPTIONS": "--keep-re",
    }
    with services(tmp_path, **chosen) as here:
        here.start_redis()
        here.start("worker")
        here.start("manager")
        await wait_until_serving(here.address, "Task")
        here.qserver("environment", "open", "--wait")
        assert "quick" in here.qserver("existing", "plans")
        shown = here.qserver("config")
        assert "keep-re" in shown
        assert "'scripts': 'OFF'" in shown
        assert "/a *" in shown


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
async def test_the_bridge_serves_clients_of_the_older_server_with_a_key_of_its_own(
    encoding: str, tmp_path: Path
) -> None:
    public, private = (key.decode() for key in zmq.curve_keypair())
    chosen = {"QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER": private, "QSERVER_ZMQ_ENCODING_FOR_SERVER": encoding}
    with services(tmp_path, **chosen) as here:
        here.start("zmq-bridge")
        code, text = here.probe("zmq-bridge")
        assert (code, "60630" in text or "answer" in text) == (1, True)
        here.start_redis()
        here.start("manager")
        await wait_until_serving(here.address, "Queue")
        assert here.probe("zmq-bridge") == (0, "serving, the Manager is idle")
        with OldClient(f"tcp://{here.control}", encoding=encoding, server_key=public) as client:
            assert client("queue_get")["success"]
        with Subscriber(f"tcp://{here.info}", encoding=encoding) as subscriber:
            assert subscriber.statuses_until(lambda status: status["manager_state"] == "idle")


@pytest.mark.parametrize("name", ["manager", "worker"])
async def test_a_service_ends_in_order_when_its_container_is_stopped(name: str, tmp_path: Path) -> None:
    grace = composition()["services"][name]["stop_grace_period"]
    with services(tmp_path) as here:
        here.start_redis()
        started = {one: here.start(one) for one in ("worker", "manager")}
        await wait_until_serving(here.address, "Task")
        here.qserver("environment", "open", "--wait")
        here.qserver(
            "queue", "add", "plan", '{"name": "count", "args": [["det1"]], "kwargs": {"num": 9, "delay": 100}}'
        )
        here.qserver("queue", "start")
        assert started[name].stop(within=float(grace.removesuffix("s"))) == 0
        if name == "worker":
            assert "'failure_cause': 'shutdown'" in here.qserver("history", "get")
