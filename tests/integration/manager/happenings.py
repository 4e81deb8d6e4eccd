"""All that may happen in a scene, each with when it may, how often it does, and with which values.

Chance is Python's, not Hypothesis's: of a few dozen examples Hypothesis makes most by copying parts of others, which
finds small examples and leaves most of the combinations untried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from queueserver_client import ExitStatus, InterruptedPolicy

from tests.integration.manager.edits import Place
from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.scene import Mishap
from tests.integration.manager.task_scene import TaskScene
from tests.integration.manager.worker_script import COMMAND_FATES, Fate

Choice = Callable[[Random], Any]


@dataclass(frozen=True)
class Happening:
    """Something that may happen."""

    method: Callable[..., None]
    weight: float
    when: Callable[[TaskScene], Any]
    choices: Mapping[str, Choice]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.method.__name__


def _one_of(options: Sequence[Any]) -> Choice:
    return lambda chance: chance.choice(options)


_index = _one_of(range(21))
_place = _one_of(list(Place))
_loss = _one_of([Loss.NOTHING] * 3 + list(Loss))
_status = _one_of([ExitStatus.COMPLETED] * 4 + list(ExitStatus)[1:])
_mishap = _one_of(list(Mishap))
_yes_or_no = _one_of([False, True])
_mostly = _one_of([True] * 3 + [False])
_few = _one_of(range(4))
_some = _one_of(range(1, 4))


def _fates(chance: Random) -> list[Fate]:
    return chance.choices(COMMAND_FATES, k=chance.choice([0, 1, 1, 2, 3]))


def _turns(chance: Random) -> list[tuple[ExitStatus, list[Fate]]]:
    return [(_status(chance), _fates(chance)) for _ in range(chance.randint(1, 6))]


def _always(_: TaskScene) -> bool:
    return True


def _has_items(made: TaskScene) -> bool:
    return bool(made.model.queue)


def _is_executing(made: TaskScene) -> bool:
    return made.is_executing


def _is_heard(made: TaskScene) -> bool:
    return made.is_heard


def _tasks_are_heard(made: TaskScene) -> bool:
    return not made.unheard_tasks


def _runs_tasks(made: TaskScene) -> bool:
    return made.is_heard and bool(made.tasks.running)


def _may(
    method: Callable[..., None], weight: float, when: Callable[[TaskScene], Any] = _always, **choices: Choice
) -> Happening:
    return Happening(method, weight, when, choices)


HAPPENINGS = (
    _may(TaskScene.add, 2, place=_place, which=_index, is_stop=_one_of([False] * 3 + [True]), loss=_loss),
    _may(TaskScene.add_batch, 2, count=_few, place=_place, which=_index, loss=_loss),
    _may(TaskScene.move, 1, _has_items, which=_index, place=_place, where=_index, loss=_loss),
    _may(
        TaskScene.move_batch,
        1,
        _has_items,
        which=_index,
        count=_one_of(range(1, 5)),
        place=_place,
        where=_index,
        keep=_yes_or_no,
        loss=_loss,
    ),
    _may(TaskScene.remove, 1, _has_items, which=_index, loss=_loss),
    _may(
        TaskScene.remove_batch, 1, _has_items, which=_index, count=_one_of(range(1, 4)), strict=_yes_or_no, loss=_loss
    ),
    _may(TaskScene.update, 1, _has_items, which=_index, new_uid=_yes_or_no, loss=_loss),
    _may(TaskScene.clear, 1, lambda made: len(made.model.queue) > 8, loss=_loss),
    _may(
        TaskScene.set_mode,
        1,
        loop=_yes_or_no,
        ignore=_yes_or_no,
        policy=_one_of(list(InterruptedPolicy)[1:]),
        loss=_loss,
    ),
    _may(TaskScene.add_under_an_id, 1),
    _may(TaskScene.remove_the_last_under_an_id, 1, _has_items),
    _may(TaskScene.start_under_an_id, 1, lambda made: made.can_start and _tasks_are_heard(made)),
    _may(TaskScene.ask_again, 1, lambda made: made.answered, which=_index),
    _may(TaskScene.start, 6, _tasks_are_heard, fates=_fates, opens=_one_of([True] * 3 + [False]), loss=_loss),
    _may(
        TaskScene.execute,
        1,
        lambda made: made.can_execute,
        fates=_fates,
        loss=_loss,
    ),
    _may(TaskScene.stop, 1, lambda made: made.model.running is not None, back=_yes_or_no, loss=_loss),
    _may(TaskScene.end, 8, _is_executing, status=_status, fates=_fates, repeated=_few),
    _may(TaskScene.end_unheard, 2, _is_executing, status=_status),
    _may(TaskScene.work, 2, _tasks_are_heard, turns=_turns),
    _may(TaskScene.tell, 3, lambda made: not made.is_heard, fates=_fates, repeated=_few),
    _may(TaskScene.report_again, 1, count=_one_of(range(1, 5))),
    _may(TaskScene.break_connection, 2, remembered=_few, repeated=_few, fates=_fates),
    _may(TaskScene.lose_acknowledgement, 1),
    _may(TaskScene.suffer, 2, _is_heard, mishap=_mishap, status=_status),
    _may(TaskScene.run_task, 5, _is_heard, background=_mostly, fates=_fates, loss=_loss),
    _may(TaskScene.end_tasks, 4, _runs_tasks, which=_index, count=_some, success=_mostly, repeated=_few),
    _may(TaskScene.end_tasks_unheard, 1, _runs_tasks, which=_index, count=_some, success=_mostly),
)
#: Those in which the Manager is killed.
KILLS = (
    _may(TaskScene.die, 2, mishap=_mishap, status=_status),
    _may(TaskScene.die_in_an_edit, 1, _is_heard, loss=_one_of(list(Loss)), place=_place, which=_index),
    _may(TaskScene.die_handing_over, 3, lambda made: made.can_hand_over, accepted=_yes_or_no, mishap=_mishap),
    _may(TaskScene.die_hearing, 2, _is_executing, status=_status),
    _may(TaskScene.die_acknowledging, 2, _is_executing, status=_status),
    _may(
        TaskScene.die_handing_over_task,
        2,
        lambda made: made.takes_tasks(background=False),
        background=_yes_or_no,
        accepted=_yes_or_no,
        mishap=_mishap,
    ),
    _may(TaskScene.die_hearing_tasks, 1, _runs_tasks, which=_index, count=_some),
    _may(TaskScene.die_acknowledging_task, 1, _runs_tasks, which=_index),
    _may(
        TaskScene.die_accepting_task,
        1,
        lambda made: made.takes_tasks(background=False),
        loss=_one_of(list(Loss)),
        background=_yes_or_no,
    ),
)
