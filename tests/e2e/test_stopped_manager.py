"""A Manager that had no time to listen does not take the Worker for dead."""

from __future__ import annotations

import signal

from queueserver_client import AsyncClient, ManagerState, Plan
from queueserver_long_work.time_slice import next_turn_after

from tests.harness.gate import Gate
from tests.harness.parts import Parts
from tests.harness.progress import begun, until_state

#: More than the Worker may be silent.
STOPPED_SECONDS = 3.0


async def test_a_plan_is_aborted_by_a_manager_that_has_just_been_stopped_for_seconds(
    parts: Parts, parts_client: AsyncClient, gate: Gate
) -> None:
    await begun(parts_client, Plan("gated_run", gate.path))
    parts.manager.process.send(signal.SIGSTOP)
    await next_turn_after(STOPPED_SECONDS)
    parts.manager.process.send(signal.SIGCONT)
    await parts_client.run_engine.abort_now()
    await until_state(parts_client, ManagerState.IDLE)
    assert "can't be reached" not in str(parts.manager.process.output)
