"""Every method in every state, with parameters right and wrong: written by hand, answered alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import pytest

from tests.zmq_bridge.differential import other_calls, queue_calls
from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.queue_calls import Written
from tests.zmq_bridge.differential.runner import Runner, with_key
from tests.zmq_bridge.differential.states import STATES, bring_into

_FAMILIES: Final[dict[str, Callable[[], Iterable[Written]]]] = {
    "reading the queue": queue_calls.reading,
    "adding": queue_calls.adding,
    "adding batches": queue_calls.adding_batches,
    "updating": queue_calls.updating,
    "removing": queue_calls.removing,
    "moving": queue_calls.moving,
    "looking": other_calls.looking,
    "tasks": other_calls.about_tasks,
    "modes": other_calls.modes,
    "history": other_calls.histories,
    "lock": other_calls.locks,
    "permissions": other_calls.permissions,
    "wrong parameters": other_calls.refused_anywhere,
}


@pytest.mark.parametrize("family", _FAMILIES)
@pytest.mark.parametrize("state", STATES)
def test_calls_are_answered_alike(pair: Pair, state: str, family: str) -> None:
    bring_into(pair, state)
    Runner(pair, refills=True).run(_FAMILIES[family]())


@pytest.mark.parametrize("state", STATES)
def test_what_a_state_does_not_allow_is_refused_alike(pair: Pair, state: str) -> None:
    bring_into(pair, state)
    Runner(pair, refills=True).run(other_calls.refused_in(state))


@pytest.mark.parametrize("family", ["adding", "updating", "removing", "moving", "modes"])
def test_with_its_key_a_lock_is_as_none(pair: Pair, family: str) -> None:
    bring_into(pair, "locked")
    Runner(pair, refills=True).run(with_key(_FAMILIES[family]()))
