"""A scene with tasks: accepted, handed over, ended, told late, and lost with what executes them.

A task that goes on when its environment is gone has failed, whatever the environment was lost by: see :meth:`agree`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Sequence

import pytest
from queueserver_client import (
    EnvironmentClosed,
    ExitStatus,
    FailureCause,
    InvalidState,
    ManagerState,
    QueueServerError,
)

from tests.harness.wait import bounded
from tests.integration.manager.lossy_line import Loss
from tests.integration.manager.manager_rig import Rig, Rigs
from tests.integration.manager.scene import TOO_LATE, Mishap, Scene
from tests.integration.manager.task_model import ModelTask, TaskModel
from tests.integration.manager.worker_script import Fate

#: The only function there is.
FUNCTION = "work"
_DEADLY = {
    Fate.ENVIRONMENT_DIES: FailureCause.ENVIRONMENT_LOST,
    Fate.WORKER_RESTARTS: FailureCause.WORKER_LOST,
}


class TaskScene(Scene):
    """Edits, executions, tasks, mishaps and kills."""

    def __init__(self, rig: Rig) -> None:
        self.tasks = TaskModel()
        #: Tasks that have ended well or not, of which the Manager has not heard.
        self.unheard_tasks: list[tuple[ModelTask, bool]] = []
        super().__init__(rig)

    def agree(self) -> None:
        """Wait until the Manager has come to where the model is, tasks included."""
        if not self.model.environment_open:
            self.tasks.lose()
        begun, left = len(self.tasks.begun), len(self.tasks.fates)
        self.script.wait_until(
            lambda: len(self.script.begun_tasks) >= begun and len(self.script.task_fates) <= left,
            f"{begun} tasks are begun, not {self.script.begun_tasks}, and the fates after {self.script.task_fates} met",
        )
        super().agree()
        self.rig.run(self._compare_tasks())
        self.tasks.fates.clear()
        self.script.task_fates.clear()

    async def _compare_tasks(self) -> None:
        """Each task has one result or none yet, the same for ever, and none was begun that should not be."""
        client, results = self.rig.observer, self.rig.task_results
        for task in self.tasks.tasks:
            if task.success is not None and task.uid not in results:
                results[task.uid] = await client.tasks.wait(task.uid)
                assert results[task.uid].success == task.success, results[task.uid].message
        found = await client.tasks.list()
        assert [status.task.uid for status in found] == self.rig.task_uids
        for status in found:
            assert status.result == results.get(status.task.uid), "a task has another result than it had or should have"
        assert set(self.rig.task_uids) - set(results) == {task.uid for task in self.tasks.running}
        assert self.script.begun_tasks == [task.uid for task in self.tasks.begun]
        is_executing_task = (await client.status()).manager_state is ManagerState.EXECUTING_TASK
        assert is_executing_task == (self.tasks.foreground is not None)

    @property
    def is_heard(self) -> bool:
        """Nothing has happened of which the Manager has not heard."""
        return self.unheard is None and not self.unheard_tasks

    @property
    def is_executing(self) -> bool:
        return super().is_executing and not self.unheard_tasks

    def hear(self) -> None:
        self._hear_of_tasks()
        super().hear()

    def _hear_of_tasks(self) -> None:
        for task, success in self.unheard_tasks:
            task.success = success
        self.unheard_tasks.clear()

    def start_refusal(self) -> type[QueueServerError] | None:
        return InvalidState if self.tasks.foreground is not None else super().start_refusal()

    # Tasks

    def task_refusal(self, *, background: bool) -> type[QueueServerError] | None:
        """Why a task is not accepted."""
        if not self.model.environment_open:
            return EnvironmentClosed
        busy = self.model.running is not None or self.tasks.foreground is not None
        return InvalidState if busy and not background else None

    def takes_tasks(self, *, background: bool) -> bool:
        """A task can be accepted, and what becomes of it is seen."""
        return self.is_heard and self.task_refusal(background=background) is None

    @property
    def can_execute(self) -> bool:
        """An item can be executed that is not in the queue, and what becomes of it is seen."""
        return self.takes_tasks(background=False)

    def run_task(self, background: bool, fates: Sequence[Fate] = (), loss: Loss = Loss.NOTHING) -> None:
        """Let a function be called."""
        refusal = self.task_refusal(background=background)
        if refusal is not None:
            with pytest.raises(refusal) as refused:
                self._call(background, Loss.NOTHING)
            assert type(refused.value) is refusal
            return
        self.tasks.fates.extend(fates)
        self.script.task_fates.extend(fates)
        fate = self.tasks.accept(self._call(background, loss), background=background)
        if fate in _DEADLY:
            self._lose(_DEADLY[fate])
            self.hear()

    def _call(self, background: bool, loss: Loss) -> str:
        made = self.edit(lambda client: client.tasks.execute_function(FUNCTION, run_in_background=background), loss)
        self.rig.task_uids.append(made.uid)
        return made.uid

    def end_tasks(self, which: int, count: int, success: bool = True, repeated: int = 0) -> None:
        """Some tasks end; their outcomes and others come, and some of them come more than once."""
        for task in self.tasks.some(which, count):
            self.script.end_task(task.uid, success=success)
            task.success = success
        self.script.report_again(repeated)

    def end_tasks_unheard(self, which: int, count: int, success: bool = True) -> None:
        """Some tasks end, and their outcomes are late."""
        self.script.withhold()
        for task in self.tasks.some(which, count):
            self.script.end_task(task.uid, success=success)
            self.unheard_tasks.append((task, success))

    # Mishaps and kills

    def suffer(self, mishap: Mishap, status: ExitStatus = ExitStatus.COMPLETED) -> None:
        # Whatever happens, outcomes are kept, and told when the Manager looks.
        self._hear_of_tasks()
        super().suffer(mishap, status)

    def die_handing_over_task(self, background: bool, accepted: bool, mishap: Mishap = Mishap.NOTHING) -> None:
        """The Manager is killed when the Worker has its task, before or after that is accepted."""
        self.script.task_fates.append(Fate.HANGS_ACCEPTED if accepted else Fate.HANGS)
        uid = self._call(background, Loss.NOTHING)
        self.script.wait_until(lambda: self.script.hanging > 0, "the Manager hands over")
        if not accepted and mishap in TOO_LATE:
            self.tasks.fates.append(TOO_LATE[mishap])
        self.tasks.accept(uid, background=background)
        self.die(mishap)

    def die_hearing_tasks(self, which: int, count: int, success: bool = True) -> None:
        """The Manager is killed when outcomes are on their way to it, or stored, or not yet."""
        self.end_tasks(which, count, success)
        self.die()

    def die_acknowledging_task(self, which: int, success: bool = True) -> None:
        """The Manager is killed when it has stored an outcome and wants to say so."""
        self.script.fate_of_acknowledgement = Fate.HANGS
        self.end_tasks(which, 1, success)
        self.script.wait_until(lambda: self.script.hanging > 0, "the Manager acknowledges")
        self.script.fate_of_acknowledgement = Fate.ACCEPTED
        self.die()

    def die_accepting_task(self, background: bool, loss: Loss) -> None:
        """The Manager is killed while a client asks for a task, as in :meth:`die_in_an_edit`."""
        line = self.rig.line

        async def attempt() -> str:
            line.loss = loss
            line.lost.clear()
            line.requested.clear()
            asking = asyncio.ensure_future(
                self.rig.client.tasks.execute_function(FUNCTION, run_in_background=background)
            )
            await bounded((line.requested if loss is Loss.NOTHING else line.lost).wait())
            self.rig.kill_manager()
            self.rig.restart_manager()
            return (await asking).uid

        uid = self.rig.run(attempt())
        self.rig.task_uids.append(uid)
        self.tasks.accept(uid, background=background)

    def finish(self) -> None:
        """All tasks end, and the queue is emptied."""
        self.script.break_connection()
        self.hear()
        self.agree()
        self.end_tasks(0, len(self.tasks.running))
        self.agree()
        super().finish()


@contextlib.contextmanager
def scene(rigs: Rigs) -> Iterator[TaskScene]:
    """A scene with an open environment; at its end all that is left is executed.

    If it fails, the Manager's log is written, and nobody gets that Manager any more.
    """
    rig = rigs.take()
    try:
        made = TaskScene(rig)
        yield made
        made.finish()
    except BaseException:
        sys.stdout.write(f"log of the Manager:\n{rig.log()}\n")
        rigs.close()
        raise
