"""Whatever a client asks for, as much of it as it may: a plan is aborted meanwhile.

`make bench-longest` measures how long that takes, and how long each request keeps the Manager's loop.
"""

from __future__ import annotations

import asyncio

import grpc
import pytest
from queueserver.manager.v1 import run_engine_service_pb2 as re
from queueserver_client import AsyncClient

from tests.bounds.calls import begin_plan, carry_out, longest_requests, prepared
from tests.bounds.full_server import Server
from tests.bounds.methods import METHODS, Method
from tests.bounds.requests import LONGEST, Long
from tests.harness.raw import Stubs

#: So many calls of another client are answered at least before a request that keeps the server busy is.
MEANWHILE = 20
CASES = [pytest.param(method, long, id=name) for name, method, long in longest_requests() if not long.alone]


def test_every_method_has_an_entry() -> None:
    assert sorted(LONGEST) == sorted(map(str, METHODS))


async def abort_until(stubs: Stubs, asking: asyncio.Task[str]) -> list[grpc.StatusCode]:
    """Call AbortPlanNow again and again until a request is answered; returns how each call was answered before it."""
    codes = [await stubs.run_engine.AbortPlanNow(re.AbortPlanNowRequest()).code()]
    while not asking.done():
        codes.append(await stubs.run_engine.AbortPlanNow(re.AbortPlanNowRequest()).code())
    return codes


@pytest.mark.parametrize(("method", "long"), CASES)
async def test_a_plan_is_aborted_beside_the_longest_request(
    server: Server, raw: Stubs, client: AsyncClient, method: Method, long: Long
) -> None:
    data = await prepared(raw, long)
    await begin_plan(server, client)
    asking = asyncio.create_task(carry_out(raw, method, data))
    first, *others = await abort_until(raw, asking)
    assert first is grpc.StatusCode.OK
    # The plan may have ended by then.
    assert set(others) <= {grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION}
    if long.is_heavy:
        assert len(others) >= MEANWHILE, f"{len(data)} bytes, answered {await asking}"
    await asking
