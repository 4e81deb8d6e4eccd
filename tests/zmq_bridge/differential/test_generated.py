"""Generated calls: thousands of them, in every state and from state to state.

The number of calls and the seed are options, and the seed is printed:
`make test-zmq-bridge ARGS="-k generated --calls 50000 --calls-seed 7"`.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.zmq_bridge.differential.grammar import MOVING, STAYING
from tests.zmq_bridge.differential.pair import Pair
from tests.zmq_bridge.differential.queue_calls import Written
from tests.zmq_bridge.differential.runner import Runner
from tests.zmq_bridge.differential.states import STATES, bring_back, bring_into, empty
from tests.zmq_bridge.differential.steps import StepRunner

#: Of all generated calls, how many go from state to state: they wait for what they start.
_MOVING_SHARE = 10
_EXAMPLES = 10


@pytest.mark.parametrize("state", STATES)
def test_generated_calls_in_a_state(pair: Pair, state: str, calls: int, calls_seed: int) -> None:
    bring_into(pair, state)

    def compare(written: list[Written]) -> None:
        empty(pair)
        Runner(pair, refills=True).run(written)

    _compare(pair, compare, STAYING, calls // len(STATES), calls_seed)


def test_generated_calls_from_state_to_state(pair: Pair, calls: int, calls_seed: int) -> None:
    def compare(written: list[Written]) -> None:
        bring_back(pair)
        StepRunner(pair).run(written)

    _compare(pair, compare, MOVING, calls // _MOVING_SHARE, calls_seed)


def _compare(
    pair: Pair,
    compare: Callable[[list[Written]], None],
    strategy: st.SearchStrategy[list[Written]],
    calls: int,
    calls_seed: int,
) -> None:
    """Generate until so many calls were made."""
    begin, turn = pair.calls, 0
    while pair.calls - begin < calls:

        @seed(calls_seed + turn)
        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def check(written: list[Written]) -> None:
            pair.faults.clear()
            compare(written)
            assert not pair.faults, "\n".join([f"seed {calls_seed}:", *pair.faults[:10]])

        check()
        turn += 1
