"""What concerns an IPython kernel, which this server does not have: startup code runs in plain Python."""

from __future__ import annotations

from typing import Final

from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server


async def _config(_server: Server, _params: Params) -> Fields:
    return {"config": {"ip_connect_info": {}}}


async def _interrupt(_server: Server, _params: Params) -> Fields:
    raise Refused("RE Manager is not in IPython mode: IPython kernel is not used")


METHODS: Final = (
    Method("config_get", _config, failed={"config": {}}, not_taken_prefix=""),
    Method(
        "kernel_interrupt",
        _interrupt,
        ("interrupt_task", "interrupt_plan"),
        Lock.ENVIRONMENT,
        prefix="Failed to interrupt IPython kernel: ",
        not_taken_prefix="Error: ",
    ),
)
