"""Each task that was accepted is begun at most once and has exactly one result, whatever breaks at which of its steps.

As ``test_reconciliation_steps.py``, for tasks.
"""

from __future__ import annotations

import pytest
from queueserver_client import ExitStatus

from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.manager_rig import Rigs
from tests.integration.manager.scene import LateNews, Mishap
from tests.integration.manager.task_scene import TaskScene, scene
from tests.integration.manager.worker_script import COMMAND_FATES, Fate


@pytest.mark.parametrize("background", [False, True], ids=["foreground", "background"])
@pytest.mark.parametrize("fate", COMMAND_FATES)
def test_a_task_has_one_result_whatever_becomes_of_its_command(rigs: Rigs, fate: Fate, background: bool) -> None:
    with scene(rigs) as made:
        made.run_task(background=True)
        made.agree()
        made.run_task(background, [fate])
        made.agree()


def with_a_plan_and_tasks(made: TaskScene) -> None:
    """A plan and two background tasks go on."""
    made.work([(ExitStatus.COMPLETED, [])])
    for _ in range(2):
        made.run_task(background=True)
        made.agree()


@pytest.mark.parametrize("mishap", Mishap)
def test_tasks_have_one_result_whatever_happens_to_the_worker(rigs: Rigs, mishap: Mishap) -> None:
    with scene(rigs) as made:
        with_a_plan_and_tasks(made)
        made.suffer(mishap)
        made.agree()


@pytest.mark.parametrize("news", LateNews)
def test_a_result_may_come_late_and_more_than_once(rigs: Rigs, news: LateNews) -> None:
    with scene(rigs) as made:
        with_a_plan_and_tasks(made)
        made.end_tasks_unheard(0, 2, success=news is not LateNews.TOLD)
        made.agree()
        made.hear_late(news)
        made.agree()


def test_a_result_of_the_past_says_nothing_about_tasks_that_go_on(rigs: Rigs) -> None:
    with scene(rigs) as made:
        with_a_plan_and_tasks(made)
        made.end_tasks(0, 2, success=False)
        made.agree()
        made.run_task(background=True)
        made.agree()
        made.report_again(3)
        made.agree()
        made.break_connection(remembered=3, repeated=3)
        made.agree()


def test_a_foreground_task_keeps_others_and_the_queue_out_also_after_a_restart(rigs: Rigs) -> None:
    with scene(rigs) as made:
        made.add_batch(1)
        made.run_task(background=False)
        made.agree()
        for _ in range(2):
            made.start()
            made.run_task(background=False)
            made.run_task(background=True)
            made.agree()
            made.die()
            made.agree()


@pytest.mark.parametrize("mishap", [Mishap.NOTHING, Mishap.ENVIRONMENT_DIES, Mishap.WORKER_RESTARTS])
@pytest.mark.parametrize("accepted", [False, True])
def test_a_manager_that_dies_handing_a_task_over_hands_it_over_once(rigs: Rigs, accepted: bool, mishap: Mishap) -> None:
    with scene(rigs) as made:
        made.die_handing_over_task(background=accepted, accepted=accepted, mishap=mishap)
        made.agree()


def test_a_manager_that_dies_with_a_result_in_its_hands_stores_it_once(rigs: Rigs) -> None:
    with scene(rigs) as made:
        with_a_plan_and_tasks(made)
        made.die_hearing_tasks(0, 1)
        made.agree()
        made.die_acknowledging_task(0, success=False)
        made.agree()


@pytest.mark.parametrize("loss", Loss)
def test_a_task_during_whose_acceptance_the_manager_dies_is_accepted_once(rigs: Rigs, loss: Loss) -> None:
    with scene(rigs) as made:
        made.die_accepting_task(background=loss is Loss.ANSWER, loss=loss)
        made.agree()
