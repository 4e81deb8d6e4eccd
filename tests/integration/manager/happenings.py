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
from tests.integration.manager.scene import Mishap, Scene
from tests.integration.manager.worker_script import COMMAND_FATES, Fate

Choice = Callable[[Random], Any]


@dataclass(frozen=True)
class Happening:
    """Something that may happen."""

    method: Callable[..., None]
    weight: float
    when: Callable[[Scene], Any]
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
_few = _one_of(range(4))


def _fates(chance: Random) -> list[Fate]:
    return chance.choices(COMMAND_FATES, k=chance.choice([0, 1, 1, 2, 3]))


def _turns(chance: Random) -> list[tuple[ExitStatus, list[Fate]]]:
    return [(_status(chance), _fates(chance)) for _ in range(chance.randint(1, 6))]


def _always(_: Scene) -> bool:
    return True


def _has_items(made: Scene) -> bool:
    return bool(made.model.queue)


def _is_executing(made: Scene) -> bool:
    return made.is_executing


def _is_heard(made: Scene) -> bool:
    return made.unheard is None


def _may(
    method: Callable[..., None], weight: float, when: Callable[[Scene], Any] = _always, **choices: Choice
) -> Happening:
    return Happening(method, weight, when, choices)


HAPPENINGS = (
    _may(Scene.add, 2, place=_place, which=_index, is_stop=_one_of([False] * 3 + [True]), loss=_loss),
    _may(Scene.add_batch, 2, count=_few, place=_place, which=_index, loss=_loss),
    _may(Scene.move, 1, _has_items, which=_index, place=_place, where=_index, loss=_loss),
    _may(
        Scene.move_batch,
        1,
        _has_items,
        which=_index,
        count=_one_of(range(1, 5)),
        place=_place,
        where=_index,
        keep=_yes_or_no,
        loss=_loss,
    ),
    _may(Scene.remove, 1, _has_items, which=_index, loss=_loss),
    _may(Scene.remove_batch, 1, _has_items, which=_index, count=_one_of(range(1, 4)), strict=_yes_or_no, loss=_loss),
    _may(Scene.update, 1, _has_items, which=_index, new_uid=_yes_or_no, loss=_loss),
    _may(Scene.clear, 1, lambda made: len(made.model.queue) > 8, loss=_loss),
    _may(
        Scene.set_mode, 1, loop=_yes_or_no, ignore=_yes_or_no, policy=_one_of(list(InterruptedPolicy)[1:]), loss=_loss
    ),
    _may(Scene.add_under_an_id, 1),
    _may(Scene.remove_the_last_under_an_id, 1, _has_items),
    _may(Scene.start_under_an_id, 1, lambda made: made.can_start),
    _may(Scene.ask_again, 1, lambda made: made.answered, which=_index),
    _may(Scene.start, 6, fates=_fates, opens=_one_of([True] * 3 + [False]), loss=_loss),
    _may(
        Scene.execute,
        1,
        lambda made: made.model.environment_open and made.model.running is None,
        fates=_fates,
        loss=_loss,
    ),
    _may(Scene.stop, 1, lambda made: made.model.running is not None, back=_yes_or_no, loss=_loss),
    _may(Scene.end, 8, _is_executing, status=_status, fates=_fates, repeated=_few),
    _may(Scene.end_unheard, 2, _is_executing, status=_status),
    _may(Scene.work, 2, turns=_turns),
    _may(Scene.tell, 3, lambda made: made.unheard is not None, fates=_fates, repeated=_few),
    _may(Scene.report_again, 1, count=_one_of(range(1, 5))),
    _may(Scene.break_connection, 2, remembered=_few, repeated=_few, fates=_fates),
    _may(Scene.lose_acknowledgement, 1),
    _may(Scene.suffer, 2, _is_heard, mishap=_mishap, status=_status),
)
#: Those in which the Manager is killed.
KILLS = (
    _may(Scene.die, 2, mishap=_mishap, status=_status),
    _may(Scene.die_in_an_edit, 1, _is_heard, loss=_one_of(list(Loss)), place=_place, which=_index),
    _may(Scene.die_handing_over, 3, lambda made: made.can_hand_over, accepted=_yes_or_no, mishap=_mishap),
    _may(Scene.die_hearing, 2, _is_executing, status=_status),
    _may(Scene.die_acknowledging, 2, _is_executing, status=_status),
)
