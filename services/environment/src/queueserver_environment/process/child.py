"""The environment process as a whole: load the startup code, report that it is ready, take commands until the end.

The main thread runs everything of the user (startup code, plans, foreground tasks) except background tasks, which have
their own threads. One thread reads the channel, one writes it, so commands are taken, and heartbeats sent, while
a plan blocks. The reader passes on what may have to wait: pauses to the thread of the plan's control, requests for
metadata to a thread that reads it.
"""

import os
import queue
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from queueserver_inventory.descriptions import Inventory
from queueserver_long_work.gc_policy import return_unused_memory

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.hooks.interrupts import survive_interrupts
from queueserver_environment.messages.frames import EnvironmentReady, FromEnvironment, LoadProgress, ToEnvironment
from queueserver_environment.messages.states import ConsoleStream
from queueserver_environment.plans.failures import startup_failure, user_traceback
from queueserver_environment.process.channel import Channel
from queueserver_environment.process.no_terminal import refuse_terminal
from queueserver_environment.process.shutdown import bound_the_end
from queueserver_environment.process.startup_arguments import EnvironmentArguments, read_arguments
from queueserver_environment.startup.startup import load, new_namespace
from queueserver_environment.startup.startup_issues import refuse_issues
from queueserver_environment.startup.startup_sources import StartupSource
from queueserver_environment.user_api.compatibility import offer_user_api

FLUSH_SECONDS: Final = 5.0
"""How long the end of a plan waits for its output, and the end of the process for its frames."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the environment; return its exit code."""
    arguments = read_arguments(argv)
    os.environ.setdefault("MPLBACKEND", "Agg")
    survive_interrupts()
    streams.install()
    refuse_terminal()
    child = EnvironmentChild(socket.socket(fileno=arguments.channel_fd), arguments)
    return bound_the_end(child.run(arguments.source))


class EnvironmentChild:
    """All parts of the process."""

    def __init__(self, connection: socket.socket, arguments: EnvironmentArguments) -> None:
        self._arguments = arguments
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._dispatcher: Any = None
        self._table: Any = None
        self._channel = Channel(connection, self._on_frame)

    def run(self, source: StartupSource) -> int:
        """Load, serve, end; return the exit code."""
        self._channel.start()
        namespace = new_namespace()
        offer_user_api(namespace, self._arguments.list_command)
        try:
            default_engine = self._make_default_engine()
            load(source, namespace, self._announce, self._show)
            self._channel.send(FromEnvironment(ready=self._prepare(source, namespace, default_engine)))
        except BaseException as error:  # noqa: BLE001 - protects the report: startup code may raise anything
            self._give_up(source, error)
        return_unused_memory()
        while (work := self._next_work()) is not None:
            self._do(work)
        self._flush()
        self._channel.close(FLUSH_SECONDS)
        return 0

    def _next_work(self) -> Callable[[], None] | None:
        while True:
            try:
                return self._work.get()
            except BaseException as error:  # noqa: BLE001 - a signal handler of user code may raise anything, anywhere
                streams.note(f"A signal handler raised {type(error).__name__} while the environment was idle.\n")

    def _do(self, work: Callable[[], None]) -> None:
        streams.repair()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - what was to be done has no outcome: the process can't stay
            streams.note(f"The environment ends, because it failed itself.\n{user_traceback(error)}")
            self._end_now()

    def _announce(self, text: str) -> None:
        streams.note(f"{text}\n", ConsoleStream.STDOUT)
        self._show(text)

    def _show(self, text: str) -> None:
        self._channel.send(FromEnvironment(progress=LoadProgress(text=text)))

    def _make_default_engine(self) -> Any | None:
        from queueserver_environment.plans.run_engine import make_run_engine  # noqa: PLC0415 - see _prepare

        return None if self._arguments.keep_re else make_run_engine()

    def _prepare(
        self, source: StartupSource, namespace: dict[str, Any], default_engine: Any | None
    ) -> EnvironmentReady:
        """Watch the RunEngine and examine what the namespace offers."""
        # Imported here, so that the first heartbeat does not wait for slow imports.
        from queueserver_environment.plans.run_engine import print_table  # noqa: PLC0415
        from queueserver_environment.process.about import about  # noqa: PLC0415
        from queueserver_environment.process.command_dispatcher import CommandDispatcher  # noqa: PLC0415

        if namespace.get("RE") is None and default_engine is not None:
            namespace["RE"] = default_engine
            self._table = print_table(default_engine)
        limit = self._arguments.question_timeout
        dispatcher = CommandDispatcher(namespace, source.folder, self._work, self._channel.send, self._flush, limit)
        offered = dispatcher.offer(self._arguments.device_max_depth)
        inventory = offered.inventory or Inventory()
        if self._arguments.strict:
            refuse_issues(inventory.issues)
        self._channel.send(FromEnvironment(about=about(source)))
        self._announce(f"ready: {len(inventory.plans)} plans, {len(inventory.devices)} devices")
        self._dispatcher = dispatcher
        return offered

    def _on_frame(self, frame: ToEnvironment) -> None:
        if frame.exit is not None:
            self._work.put(None)
        elif self._dispatcher is not None:
            self._dispatcher.take(frame)

    def _flush(self) -> None:
        streams.repair()
        if self._table is not None:
            self._table.flush(FLUSH_SECONDS)
        streams.flush()

    def _give_up(self, source: StartupSource, error: BaseException) -> None:
        """Report why the startup code failed and end now: threads it left behind must not keep the process."""
        failure = startup_failure(error, source.owns)
        streams.note(failure.traceback or f"{failure.message}\n")
        self._channel.send(FromEnvironment(failed=failure))
        self._end_now()

    def _end_now(self) -> NoReturn:
        streams.flush()
        self._channel.close(FLUSH_SECONDS)
        os._exit(1)
