"""Each thing that can break, at each step of an execution, once: a real Manager, Redis, and a scripted Worker.

After every step the Manager must come to where the model is, see ``queue_model.py``, and at the end all that is left
in the queue must be executed.
"""

from __future__ import annotations

import pytest
from queueserver_client import ExitStatus, InterruptedPolicy

from tests.integration.manager.edits import Place
from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.manager_rig import Rigs
from tests.integration.manager.scene import LateNews, Mishap
from tests.integration.manager.task_scene import scene
from tests.integration.manager.worker_script import COMMAND_FATES, Fate


@pytest.mark.parametrize("second", [Fate.ACCEPTED, Fate.REFUSED])
@pytest.mark.parametrize("fate", COMMAND_FATES)
def test_an_item_has_one_outcome_whatever_becomes_of_its_command(rigs: Rigs, fate: Fate, second: Fate) -> None:
    with scene(rigs) as made:
        made.work([(ExitStatus.COMPLETED, [])] * 2)
        made.end(fates=[fate, second])
        made.agree()


@pytest.mark.parametrize("policy", list(InterruptedPolicy)[1:])
@pytest.mark.parametrize("mishap", Mishap)
def test_an_item_has_one_outcome_whatever_happens_to_the_worker(
    rigs: Rigs, mishap: Mishap, policy: InterruptedPolicy
) -> None:
    with scene(rigs) as made:
        made.set_mode(loop=False, ignore=False, policy=policy)
        made.work([(ExitStatus.COMPLETED, [])])
        made.suffer(mishap)
        made.agree()


@pytest.mark.parametrize("status", list(ExitStatus)[1:])
@pytest.mark.parametrize("news", LateNews)
def test_an_outcome_may_come_late_and_more_than_once(rigs: Rigs, news: LateNews, status: ExitStatus) -> None:
    with scene(rigs) as made:
        made.work([(ExitStatus.COMPLETED, [])] * 2)
        made.end_unheard(status)
        made.agree()
        made.add(Place.FRONT)
        made.agree()
        made.hear_late(news)
        made.agree()


def test_an_outcome_of_the_past_says_nothing_about_the_running_item(rigs: Rigs) -> None:
    with scene(rigs) as made:
        made.work([(ExitStatus.COMPLETED, [])] * 3)
        made.script.report_again(3)
        made.agree()
        made.break_connection(remembered=3, repeated=3)
        made.agree()


@pytest.mark.parametrize("mishap", Mishap)
def test_a_plan_goes_on_without_the_manager_and_is_accounted_for_when_it_is_back(rigs: Rigs, mishap: Mishap) -> None:
    with scene(rigs) as made:
        made.work([(ExitStatus.COMPLETED, [])])
        made.die(mishap)
        made.agree()


@pytest.mark.parametrize("mishap", [Mishap.NOTHING, Mishap.ENVIRONMENT_DIES, Mishap.WORKER_RESTARTS])
@pytest.mark.parametrize("accepted", [False, True])
def test_a_manager_that_dies_handing_an_item_over_hands_it_over_once(
    rigs: Rigs, accepted: bool, mishap: Mishap
) -> None:
    with scene(rigs) as made:
        made.add_batch(2)
        made.agree()
        made.die_handing_over(accepted, mishap)
        made.agree()


@pytest.mark.parametrize("status", [ExitStatus.COMPLETED, ExitStatus.FAILED])
def test_a_manager_that_dies_with_an_outcome_in_its_hands_accounts_for_it_once(rigs: Rigs, status: ExitStatus) -> None:
    with scene(rigs) as made:
        made.work([(ExitStatus.COMPLETED, [])])
        made.die_hearing(status)
        made.agree()
        made.work([(ExitStatus.COMPLETED, [])])
        made.die_acknowledging(status)
        made.agree()


@pytest.mark.parametrize("loss", Loss)
def test_an_edit_during_which_the_manager_dies_is_made_once(rigs: Rigs, loss: Loss) -> None:
    with scene(rigs) as made:
        made.add_batch(2)
        made.agree()
        made.die_in_an_edit(loss, Place.AFTER)
        made.agree()


def test_a_request_is_made_once_also_when_it_is_repeated_after_a_kill(rigs: Rigs) -> None:
    with scene(rigs) as made:
        made.add_under_an_id()
        made.add_under_an_id()
        made.start_under_an_id()
        made.agree()
        made.end()
        made.die()
        for which in range(3):
            made.ask_again(which)
            made.agree()
