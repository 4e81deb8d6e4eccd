"""Tasks from the command to the result: in the foreground on the main thread, in the background on their own.

Guarantees: each task ends in exactly one result, whatever its code raises, and the process survives it. New lists of
plans and devices are reported before the result. A background task finds the RunEngine's event loop set in its thread.
Does not guarantee that code can be interrupted: if it does not return, the way out is to destroy the environment.
"""

import asyncio
import os
import threading
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from queueserver_protos.task_terms import failure_text, kind_of

from queueserver_environment.clock import now
from queueserver_environment.console.printers import printing_told
from queueserver_environment.console.standard_streams import streams
from queueserver_environment.messages.frames import FromEnvironment, TaskFinished, TaskPrinted
from queueserver_environment.messages.states import ConsoleStream, TaskFailureCause
from queueserver_environment.messages.tasks import NOTHING, Script, TaskCommand, TaskResult
from queueserver_environment.plans.access import read_access
from queueserver_environment.plans.failures import error_text, from_compiler, user_traceback
from queueserver_environment.plans.run_engine import Send
from queueserver_environment.plans.run_engine_holder import RunEngineHolder
from queueserver_environment.startup.inventory_publisher import InventoryPublisher
from queueserver_environment.tasks.errors import TaskNotStartedError, TaskRefusedError
from queueserver_environment.tasks.functions import call_function
from queueserver_environment.tasks.return_values import encode_return_value
from queueserver_environment.tasks.scripts import ScriptRunner, script_name


class TaskRunner:
    """Executes tasks.

    Parameters
    ----------
    namespace
        Where functions are found and scripts executed.
    scripts
        Executes scripts in it.
    holder
        The RunEngine, which a script may replace.
    offer
        What the environment reports about its plans and devices.
    send
        Takes the frames.
    flush
        Flushes everything printed so far.

    """

    def __init__(
        self,
        namespace: dict[str, Any],
        scripts: ScriptRunner,
        holder: RunEngineHolder,
        offer: InventoryPublisher,
        send: Send,
        flush: Callable[[], None],
    ) -> None:
        self._namespace = namespace
        self._scripts = scripts
        self._holder = holder
        self._publisher = offer
        self._send = send
        self._flush = flush
        self._process = os.getpid()

    def run(self, command: TaskCommand) -> None:
        """Execute a task in the foreground and report. Call it in the main thread."""
        result = self._result_of(command)
        self._flush()
        self._report(command, result)

    def start(self, command: TaskCommand) -> None:
        """Execute a task in the background. Returns at once."""
        name = f"task {command.task_uid[:8]}"
        try:
            threading.Thread(target=self._run_in_background, args=(command,), name=name, daemon=True).start()
        except RuntimeError as error:
            self._report(
                command,
                _failed(command, f"no thread could be started for it ({error}).", cause=TaskFailureCause.NOT_STARTED),
            )

    def _run_in_background(self, command: TaskCommand) -> None:
        try:
            engine = self._holder.engine
            if engine is not None:
                asyncio.set_event_loop(engine.loop)
            with printing_told(partial(self._tell, command.task_uid)):
                result = self._result_of(command)
        except BaseException as error:  # noqa: BLE001 - a task whose thread ends has an outcome, whatever ended it
            self._end_if_forked()
            result = _failed_with(command, error)
        self._report(command, result)

    def _tell(self, task_uid: str, stream: ConsoleStream, text: str) -> None:
        self._send(FromEnvironment(task_printed=TaskPrinted(task_uid=task_uid, stream=stream, text=text)))

    def _report(self, command: TaskCommand, result: TaskResult) -> None:
        self._send(FromEnvironment(task_finished=TaskFinished(task_uid=command.task_uid, result=result)))

    def _result_of(self, command: TaskCommand) -> TaskResult:
        started = now()
        try:
            value = self._do(command)
            result = TaskResult(success=True, return_value=value)
        except TaskRefusedError as error:
            result = _failed(command, str(error), cause=_cause_of(error))
        except BaseException as error:  # noqa: BLE001 - protects the process: whatever a task raises is its outcome
            self._end_if_forked()
            result = _failed_with(command, error)
        self._end_if_forked()
        result.start_time, result.stop_time = started, now()
        if not result.success:
            streams.note(f"{result.traceback}{result.message}\n")
        return result

    def _do(self, command: TaskCommand) -> Any:
        if command.function is not None:
            access = read_access(command.access)
            return encode_return_value(call_function(self._namespace, command.function, access))
        script = command.script or Script(update_re=True)
        try:
            self._scripts.execute(script, command.task_uid)
        finally:
            # Also after a failure: what the script has done until then stays.
            if script.update_re:
                self._holder.adopt(self._namespace)
            if script.update_lists is not False:
                self._publisher.update()
        return NOTHING

    def _end_if_forked(self) -> None:
        """End a process that a task forked: it is not the environment, and must not report for it."""
        if os.getpid() != self._process:
            os._exit(0)


def _failed(
    command: TaskCommand,
    why: str,
    text: str = "",
    cause: TaskFailureCause = TaskFailureCause.TASK_ERROR,
) -> TaskResult:
    return TaskResult(message=failure_text(kind_of(_work_of(command)), why), traceback=text, failure_cause=cause)


def _work_of(command: TaskCommand) -> str | None:
    return next((work for work in ("function", "script", "update") if getattr(command, work) is not None), None)


def _cause_of(error: TaskRefusedError) -> TaskFailureCause:
    not_started = isinstance(error, TaskNotStartedError)
    return TaskFailureCause.NOT_STARTED if not_started else TaskFailureCause.TASK_ERROR


def _failed_with(command: TaskCommand, error: BaseException) -> TaskResult:
    given = command.script or Script()
    script = script_name(given, command.task_uid)
    syntax = from_compiler(error)
    if syntax is not None and syntax.filename == script:
        # No user code has run: the traceback would show our own code.
        error = error.with_traceback(None)
    return _failed(command, _reason(error, script, given.name), user_traceback(error))


def _reason(error: BaseException, script: str, file: str) -> str:
    kind = type(error).__name__
    line = _line(error, script)
    where = f" in line {line}{f' of {file}' if file else ''}" if line else ""
    if isinstance(error, SystemExit):
        return f"it called exit ({error_text(error)}){where}; remove the call."
    syntax = from_compiler(error)
    text = syntax.msg if syntax is not None else error_text(error)
    return f"{kind}{where}: {text}" if text != kind else f"{kind}{where}"


def _line(error: BaseException, script: str) -> int:
    """Find the script's innermost line; 0 if it has none in this."""
    syntax = from_compiler(error)
    if syntax is not None and syntax.filename == script:
        return syntax.lineno or 0
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == script]
    return lines[-1] if lines else 0
