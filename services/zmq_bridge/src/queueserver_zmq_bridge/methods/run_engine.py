"""Pausing and continuing the plan, its runs, and the metadata of the RunEngine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver_client import EnvironmentClosed, values

from queueserver_zmq_bridge.methods.locking import key_of
from queueserver_zmq_bridge.methods.method import Fields, Lock, Method, Params
from queueserver_zmq_bridge.methods.status import manager_state
from queueserver_zmq_bridge.refusal import Refused
from queueserver_zmq_bridge.server import Server

_PAUSES: Final = {"deferred": pb.PAUSE_OPTION_DEFERRED, "immediate": pb.PAUSE_OPTION_IMMEDIATE}
_FILTERS: Final = {"active": pb.RUN_FILTER_ACTIVE, "open": pb.RUN_FILTER_OPEN, "closed": pb.RUN_FILTER_CLOSED}


async def _pause(server: Server, params: Params) -> Fields:
    option = _chosen(params.get("option", "deferred"), _PAUSES)
    try:
        await server.change(
            server.stubs.run_engine.PausePlan, pb.PausePlanRequest(option=option, lock_key=key_of(params))
        )
    except EnvironmentClosed:
        raise Refused("Environment does not exist. Can not pause Run Engine.") from None
    return {}


def _when_paused(name: str, request: Callable[..., Any]) -> Callable[[Server, Params], Awaitable[Fields]]:
    """A method that is carried out only while the plan is paused."""

    async def carry_out(server: Server, params: Params) -> Fields:
        state = await manager_state(server)
        if state != "paused":
            raise Refused(f"RE Manager is not paused: current state is {state!r}")
        await server.change(getattr(server.stubs.run_engine, name), request(lock_key=key_of(params)))
        return {}

    return carry_out


async def _runs(server: Server, params: Params) -> Fields:
    chosen, runs, token = _chosen(params.get("option", "active"), _FILTERS), [], ""
    while True:
        request = pb.ListRunsRequest(filter=chosen, page_token=token)
        page = await server.read(server.stubs.run_engine.ListRuns, request)
        runs += [
            {
                "uid": run.run_uid,
                "scan_id": run.scan_id if run.HasField("scan_id") else None,
                "is_open": run.open,
                "exit_status": run.exit_status or None,
            }
            for run in page.runs
        ]
        token = page.next_page_token
        if not token:
            return {"run_list": runs, "run_list_uid": page.run_list_uid}


async def _metadata(server: Server, _: Params) -> Fields:
    try:
        answer = await server.read(server.stubs.run_engine.GetMetadata, pb.GetMetadataRequest())
    except EnvironmentClosed:
        raise Refused("Environment does not exist. Cannot retrieve RE metadata.") from None
    return {"re_metadata": values.from_struct(answer.metadata)}


def _chosen(option: object, options: dict[str, Any]) -> Any:
    if not isinstance(option, str) or option not in options:
        raise Refused(f"Option {option!r} is not supported. Available options: {tuple(options)}")
    return options[option]


METHODS: Final = (
    Method("re_pause", _pause, ("option",), Lock.ENVIRONMENT, prefix=""),
    Method("re_resume", _when_paused("ResumePlan", pb.ResumePlanRequest), (), Lock.ENVIRONMENT, prefix=""),
    Method("re_stop", _when_paused("StopPlan", pb.StopPlanRequest), (), Lock.ENVIRONMENT, prefix=""),
    Method("re_abort", _when_paused("AbortPlan", pb.AbortPlanRequest), (), Lock.ENVIRONMENT, prefix=""),
    Method("re_halt", _when_paused("HaltPlan", pb.HaltPlanRequest), (), Lock.ENVIRONMENT, prefix=""),
    Method("re_runs", _runs, ("option",), failed={"run_list": [], "run_list_uid": ""}),
    Method("re_metadata", _metadata, (), failed={"re_metadata": {}}, prefix=""),
)
