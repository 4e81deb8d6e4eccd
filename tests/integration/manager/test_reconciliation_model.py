"""No item is lost, none is run twice unseen, and every execution has one line in the history: whatever breaks.

A real Manager process on a real Redis is driven through edits, kills and everything that a Worker and the network
between them can do wrong, in any order, and compared with a model after every step. Starting a Manager takes about a
second: so examples share one until one fails, kills are rationed, and failures are not shrunk.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from queueserver_client import ExitStatus, InterruptedPolicy

from tests.integration.manager.edits import Place
from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.manager_rig import Rigs
from tests.integration.manager.scene import Mishap, Scene, scene
from tests.integration.manager.worker_script import COMMAND_FATES

indices = st.integers(0, 20)
places = st.sampled_from(Place)
losses = st.sampled_from([Loss.NOTHING] * 3 + list(Loss))
statuses = st.sampled_from([ExitStatus.COMPLETED] * 4 + list(ExitStatus)[1:])
policies = st.sampled_from(list(InterruptedPolicy)[1:])
fates = st.lists(st.sampled_from(COMMAND_FATES), max_size=3)
mishaps = st.sampled_from(Mishap)


def always(_: Scene) -> bool:
    return True


def has_items(made: Scene) -> bool:
    return bool(made.model.queue)


def has_running_item(made: Scene) -> bool:
    return made.model.running is not None


def is_idle(made: Scene) -> bool:
    return made.model.environment_open and made.model.running is None


def is_executing(made: Scene) -> bool:
    return made.is_executing


def is_heard(made: Scene) -> bool:
    return made.unheard is None


def does(
    method: Callable[..., None],
    when: Callable[[Scene], Any] = always,
    *,
    kills: bool = False,
    **strategies: st.SearchStrategy[Any],
) -> Callable[..., None]:
    """A rule that lets something happen in the scene, and puts it on record.

    On record at once: what fails in real processes may not fail again when it is repeated.
    """

    @functools.wraps(method)
    def act(self: Machine, **given: Any) -> None:
        sys.stdout.write(f"{method.__name__} {given}\n")
        self.kills_left -= kills
        method(self.scene, **given)

    made: Callable[..., None] = rule(**strategies)(act)  # type: ignore[call-overload] # no bundle among them
    return precondition(lambda self: bool(when(self.scene)) and self.kills_left >= kills)(made)


class _AllRules:
    @staticmethod
    def is_enabled(_name: str) -> bool:
        return True


class Machine(RuleBasedStateMachine):
    """Something happens, and the Manager comes to where the model is."""

    def __init__(self, rigs: Rigs) -> None:
        super().__init__()
        # Hypothesis switches off about half of the rules in each example. With thousands of examples that finds more,
        # with a few dozen it leaves most of the combinations untried.
        self._rules_strategy.enabled_rules_strategy = st.just(_AllRules())  # type: ignore[arg-type] # all that is used
        self._opened = scene(rigs)
        self.scene = self._opened.__enter__()
        self.kills_left = 0

    @initialize(kills=st.sampled_from([0, 0, 1]))
    def ration_kills(self, kills: int) -> None:
        self.kills_left = kills

    @invariant()
    def the_manager_comes_to_where_the_model_is(self) -> None:
        self.scene.agree()

    def teardown(self) -> None:
        self._opened.__exit__(*sys.exc_info())

    add = does(Scene.add, place=places, which=indices, is_stop=st.sampled_from([False] * 3 + [True]), loss=losses)
    add_batch = does(Scene.add_batch, count=st.integers(0, 4), place=places, which=indices, loss=losses)
    move = does(Scene.move, has_items, which=indices, place=places, where=indices, loss=losses)
    move_batch = does(
        Scene.move_batch,
        has_items,
        which=indices,
        count=st.integers(1, 4),
        place=places,
        where=indices,
        keep=st.booleans(),
        loss=losses,
    )
    remove = does(Scene.remove, has_items, which=indices, loss=losses)
    remove_batch = does(
        Scene.remove_batch, has_items, which=indices, count=st.integers(1, 3), strict=st.booleans(), loss=losses
    )
    update = does(Scene.update, has_items, which=indices, new_uid=st.booleans(), loss=losses)
    clear = does(Scene.clear, lambda made: len(made.model.queue) > 8, loss=losses)
    set_mode = does(Scene.set_mode, loop=st.booleans(), ignore=st.booleans(), policy=policies, loss=losses)

    add_under_an_id = does(Scene.add_under_an_id)
    remove_the_last_under_an_id = does(Scene.remove_the_last_under_an_id, has_items)
    start_under_an_id = does(Scene.start_under_an_id, lambda made: made.can_start)
    ask_again = does(Scene.ask_again, lambda made: made.answered, which=indices)

    start = does(Scene.start, fates=fates, opens=st.sampled_from([True] * 3 + [False]), loss=losses)
    execute = does(Scene.execute, is_idle, fates=fates, loss=losses)
    stop = does(Scene.stop, has_running_item, back=st.booleans(), loss=losses)
    end = does(Scene.end, is_executing, status=statuses, fates=fates, repeated=st.integers(0, 3))
    end_unheard = does(Scene.end_unheard, is_executing, status=statuses)
    work = does(Scene.work, turns=st.lists(st.tuples(statuses, fates), min_size=1, max_size=6))

    tell = does(Scene.tell, lambda made: made.unheard is not None, fates=fates, repeated=st.integers(0, 3))
    report_again = does(Scene.report_again, count=st.integers(1, 4))
    break_connection = does(
        Scene.break_connection, remembered=st.integers(0, 3), repeated=st.integers(0, 3), fates=fates
    )
    lose_acknowledgement = does(Scene.lose_acknowledgement)
    suffer = does(Scene.suffer, is_heard, mishap=mishaps, status=statuses)

    die = does(Scene.die, kills=True, mishap=mishaps, status=statuses)
    die_in_an_edit = does(
        Scene.die_in_an_edit, is_heard, kills=True, loss=st.sampled_from(Loss), place=places, which=indices
    )
    die_handing_over = does(
        Scene.die_handing_over, lambda made: made.can_hand_over, kills=True, accepted=st.booleans(), mishap=mishaps
    )
    die_hearing = does(Scene.die_hearing, is_executing, kills=True, status=statuses)
    die_acknowledging = does(Scene.die_acknowledging, is_executing, kills=True, status=statuses)


_settings = settings(
    max_examples=20,
    stateful_step_count=16,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_no_item_is_lost_and_none_is_run_twice_unseen(rigs: Rigs) -> None:
    run_state_machine_as_test(lambda: Machine(rigs), settings=_settings)  # type: ignore[arg-type] # a factory will do
