"""The 0MQ bridge in a container: clients of bluesky-queueserver are served whatever becomes of a Manager."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq
from queueserver_client import AsyncClient

from tests.compose.engine import Deployment
from tests.harness.ports import reserved_port
from tests.zmq_bridge.old_client import OldClient
from tests.zmq_bridge.subscriber import Subscriber

_PUBLIC, _PRIVATE = (key.decode() for key in zmq.curve_keypair())
_PROBE = ("python", "-m", "queueserver_zmq_bridge.health_probe", "tcp://127.0.0.1:60615")


@pytest.fixture
def bridged(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment with a bridge; it is removed afterwards."""
    deployment.profiles = ["zmq"]
    deployment.variables |= {
        "QSERVER_ZMQ_CONTROL_PORT": str(reserved_port()),
        "QSERVER_ZMQ_INFO_PORT": str(reserved_port()),
        "QSERVER_ZMQ_PRIVATE_KEY_FOR_SERVER": _PRIVATE,
    }
    deployment.compose("build", "zmq-bridge")
    deployment.up()
    try:
        yield deployment
    finally:
        deployment.remove("zmq-bridge")
        deployment.profiles = []


async def test_clients_of_the_older_server_are_served_also_after_the_manager_was_killed(
    bridged: Deployment, client: AsyncClient
) -> None:
    ports = [bridged.variables[f"QSERVER_ZMQ_{name}_PORT"] for name in ("CONTROL", "INFO")]
    control, info = (f"tcp://127.0.0.1:{port}" for port in ports)
    await client.queue.clear()
    # The first status shows that the bridge has come so far.
    with Subscriber(info) as subscriber, OldClient(control, server_key=_PUBLIC) as old:
        assert old("status")["worker_environment_exists"]
        assert "serving" in bridged.inside("zmq-bridge", *_PROBE)
        assert bridged.inside("zmq-bridge", "id", "-u").strip() == "10001"
        bridged.kill("manager")
        bridged.start("manager")
        subscriber.statuses_until(lambda status: status["manager_state"] == "idle")
        assert old("queue_get")["items"] == []
