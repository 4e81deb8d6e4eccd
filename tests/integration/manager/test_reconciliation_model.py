"""No item is lost, none is run twice unseen, every execution has one line in the history and every task one result.

A real Manager process on a real Redis is driven through edits, tasks, kills and everything that a Worker and the
network between them can do wrong, in any order, and compared with a model after every step. Starting a Manager takes
about a second: so examples share one until one fails, kills are rationed, and failures are not shrunk. What happened is
written as it happens: what fails in real processes may not fail again when it is repeated.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from random import Random

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.integration.manager.happenings import HAPPENINGS, KILLS, Happening
from tests.integration.manager.manager_rig import Rigs
from tests.integration.manager.task_scene import scene

#: In one step of Hypothesis; of steps it makes as many as it likes. At the end of some the Manager is killed.
_HAPPENINGS_IN_A_STEP = 20
_STEPS_TO_A_KILL = 3


class Machine(RuleBasedStateMachine):
    """Something happens, and the Manager comes to where the model is, again and again."""

    _chance: Random

    def __init__(self, rigs: Rigs) -> None:
        super().__init__()
        self._opened = scene(rigs)
        self._scene = self._opened.__enter__()

    @initialize(chance=st.randoms(use_true_random=True))
    def begin(self, chance: Random) -> None:
        self._chance = chance

    @rule()
    def much_happens(self) -> None:
        for _ in range(_HAPPENINGS_IN_A_STEP):
            self._let_happen(HAPPENINGS)
        if not self._chance.randrange(_STEPS_TO_A_KILL):
            self._let_happen(KILLS)

    def _let_happen(self, choice: Sequence[Happening]) -> None:
        possible = [happening for happening in choice if happening.when(self._scene)]
        (chosen,) = self._chance.choices(possible, [happening.weight for happening in possible])
        given = {name: choose(self._chance) for name, choose in chosen.choices.items()}
        sys.stdout.write(f"{chosen.name} {given}\n")
        chosen.method(self._scene, **given)
        self._scene.agree()

    def teardown(self) -> None:
        self._opened.__exit__(*sys.exc_info())


_settings = settings(
    max_examples=7,
    stateful_step_count=4,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_item_is_lost_and_none_is_run_twice_unseen(rigs: Rigs) -> None:
    run_state_machine_as_test(lambda: Machine(rigs), settings=_settings)  # type: ignore[arg-type] # a factory will do
