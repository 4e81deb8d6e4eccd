from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from queueserver.common.v1 import environment_pb2, inventory_pb2
from queueserver.manager.v1 import environment_service_pb2 as pb
from queueserver.manager.v1 import history_service_pb2, inventory_service_pb2
from queueserver_client import (
    AsyncClient,
    Conflict,
    Environment,
    EnvironmentExists,
    EnvironmentOpenFailed,
    EnvironmentState,
    ServiceUnavailable,
)
from queueserver_rpc.status import Refusal

from tests.integration.client.scripted_manager import ScriptedManager


def state(number: int, **fields: Any) -> pb.WaitEnvironmentResponse:
    environment = environment_pb2.EnvironmentStatus(environment_id="e1", **fields)
    environment.state = number  # type: ignore[assignment] # any number of the enum
    return pb.WaitEnvironmentResponse(environment=environment)


def follow(*messages: Any) -> Any:
    async def stream(_: pb.WaitEnvironmentRequest) -> AsyncIterator[Any]:
        for message in messages:
            yield message

    return stream


LOADING = state(environment_pb2.ENVIRONMENT_STATE_INITIALIZING, progress="loading 10-devices.py")
IDLE = state(environment_pb2.ENVIRONMENT_STATE_IDLE)
CLOSED = state(environment_pb2.ENVIRONMENT_STATE_CLOSED)
AWAY = Refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY", "Starting.")


async def test_open_follows_the_progress_to_the_end(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers |= {
        "OpenEnvironment": pb.OpenEnvironmentResponse(environment_id="e1"),
        "WaitEnvironment": follow(LOADING, IDLE),
    }
    seen: list[Environment] = []
    environment = await client.environment.open(on_progress=seen.append)
    assert environment.state is EnvironmentState.IDLE
    assert [entry.progress for entry in seen] == ["loading 10-devices.py", ""]
    assert manager.requests("WaitEnvironment")[0].environment_id == "e1"


async def test_open_without_waiting_makes_one_call(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["OpenEnvironment"] = pb.OpenEnvironmentResponse(environment_id="e1")
    environment = await client.environment.open(wait=False)
    assert (environment.environment_id, environment.state) == ("e1", EnvironmentState.INITIALIZING)
    assert len(manager.calls) == 1


async def test_a_failed_open_says_where_in_the_startup_code(manager: ScriptedManager, client: AsyncClient) -> None:
    failure = environment_pb2.EnvironmentFailure(
        message="Startup code raised.", exception_type="NameError", file="/s/10.py", line=7, traceback="Traceback …"
    )
    failed = state(environment_pb2.ENVIRONMENT_STATE_CLOSED, failure=failure)
    manager.answers |= {
        "OpenEnvironment": pb.OpenEnvironmentResponse(environment_id="e1"),
        "WaitEnvironment": follow(LOADING, failed),
    }
    with pytest.raises(EnvironmentOpenFailed) as caught:
        await client.environment.open()
    assert (caught.value.failure.file, caught.value.failure.line) == ("/s/10.py", 7)
    assert (caught.value.failure.exception_type, caught.value.failure.exit_code) == ("NameError", None)
    assert str(caught.value) == "Startup code raised. (/s/10.py, line 7)"


async def test_a_wait_outlives_a_manager_that_is_away_for_a_moment(
    manager: ScriptedManager, client: AsyncClient
) -> None:
    manager.answers["OpenEnvironment"] = pb.OpenEnvironmentResponse(environment_id="e1")
    manager.answers["WaitEnvironment"] = [follow(LOADING, AWAY), follow(AWAY), follow(IDLE)]
    assert (await client.environment.open()).state is EnvironmentState.IDLE


async def test_a_wait_ends_at_its_limit(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["WaitEnvironment"] = follow(AWAY)
    with pytest.raises(ServiceUnavailable):
        await client.environment.wait(wait_timeout=3.0)


async def test_close_and_destroy_wait_until_it_is_gone(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers |= {
        "CloseEnvironment": pb.CloseEnvironmentResponse(environment_id="e1"),
        "WaitEnvironment": follow(CLOSED),
    }
    manager.answers |= {"DestroyEnvironment": pb.DestroyEnvironmentResponse(environment_id="e1")}
    assert (await client.environment.close()).state is EnvironmentState.CLOSED
    assert (await client.environment.destroy()).state is EnvironmentState.CLOSED


async def test_an_environment_that_exists_is_a_class_of_its_own(manager: ScriptedManager, client: AsyncClient) -> None:
    text = "RE Worker environment already exists."
    manager.answers["OpenEnvironment"] = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "ENVIRONMENT_EXISTS", text)
    with pytest.raises(EnvironmentExists, match=f"^{text}$"):
        await client.environment.open()


async def test_plans_are_gathered_from_all_pages(manager: ScriptedManager, client: AsyncClient) -> None:
    def page(name: str, token: str) -> inventory_service_pb2.ListPlansResponse:
        parameter = inventory_pb2.ParameterDescription(name="num", default_text="1")
        plan = inventory_pb2.PlanDescription(name=name, parameters=[parameter])
        return inventory_service_pb2.ListPlansResponse(plans=[plan], next_page_token=token, plans_uid="u")

    changed = Refusal(grpc.StatusCode.ABORTED, "INVENTORY_CHANGED", "Start again.")
    manager.answers["ListPlans"] = [page("old", "t"), changed, page("count", "t"), page("scan", "")]
    found = await client.inventory.plans(existing=True)
    assert ([plan.name for plan in found.plans], found.uid) == (["count", "scan"], "u")
    assert found.plans[0].parameters[0].default_text == "1"
    assert [request.page_token for request in manager.requests("ListPlans")] == ["", "t", "", "t"]


async def test_an_inventory_that_never_rests_is_given_up(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ListDevices"] = Refusal(grpc.StatusCode.ABORTED, "INVENTORY_CHANGED", "Start again.")
    with pytest.raises(Conflict):
        await client.inventory.devices()


async def test_clearing_the_history_says_how_far(manager: ScriptedManager, client: AsyncClient) -> None:
    manager.answers["ClearHistory"] = history_service_pb2.ClearHistoryResponse(removed_count=3)
    assert await client.history.clear() == 3
    await client.history.clear(keep_newest=0)
    await client.history.clear(up_to_uid="u")
    kinds = [request.WhichOneof("extent") for request in manager.requests("ClearHistory")]
    assert kinds == ["all", "keep_newest", "up_to_item_uid"]
    with pytest.raises(ValueError, match="not both"):
        await client.history.clear(keep_newest=1, up_to_uid="u")
