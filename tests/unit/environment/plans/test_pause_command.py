"""A pause that the guard puts between the messages of a plan is obeyed, whatever user code has made of the command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bluesky import Msg, RunEngine
from queueserver_environment.messages.states import ExitStatus, RunEngineAction
from queueserver_environment.plans.interruptions import Interruptions
from queueserver_environment.plans.plan_run import PlanRun
from queueserver_environment.plans.run_engine import WatchedRunEngine


async def nothing(_message: Msg) -> None:
    """What user code has registered."""


@pytest.mark.parametrize("registered", [True, False])
@pytest.mark.parametrize(
    ("verb", "sent"),
    [(RunEngineAction.PAUSE_IMMEDIATE, []), (RunEngineAction.PAUSE_DEFERRED, ["checkpoint"])],
)
def test_a_pause_before_the_first_message_is_obeyed(verb: RunEngineAction, sent: list[str], registered: bool) -> None:
    watched = WatchedRunEngine(RunEngine({}, context_managers=[]), lambda _: None)
    control = Interruptions(watched)
    if registered:
        watched.engine.register_command("pause", nothing)
    else:
        watched.engine.unregister_command("pause")
    asked: list[str] = []

    def plan() -> Iterator[Msg]:
        for command in ("checkpoint", "null"):
            asked.append(command)
            yield Msg(command)

    def stop_when_paused(new: Any, _old: Any) -> None:
        if str(new) == "paused":
            assert asked == sent
            control.ask(RunEngineAction.STOP, "")

    watched.hooks.engine_hooks.states += (stop_when_paused,)
    control.plan_accepted()
    control.ask(verb, "")
    assert PlanRun(watched, control).to_its_end(plan, {}).exit_status == ExitStatus.STOPPED
    assert ("pause" in watched.engine.commands) is registered
    control.retire()
