"""A process that loads startup code only to report its plans and devices.

It prints what the startup code prints; its own messages go to standard error. What it reports is as in an environment:
one frame, with plans and devices or with the reason why the startup code can't be loaded.
"""

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

from queueserver_inventory.descriptions import Inventory

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.messages.frames import EnvironmentReady, FromEnvironment
from queueserver_environment.plans.failures import startup_failure
from queueserver_environment.process.channel import Channel
from queueserver_environment.process.orphaned import die_with_supervisor
from queueserver_environment.process.shutdown import bound_the_end, end_now
from queueserver_environment.process.startup_arguments import EnvironmentArguments, read_arguments
from queueserver_environment.startup.startup import load, new_namespace
from queueserver_environment.startup.startup_issues import refuse_issues
from queueserver_environment.user_api.compatibility import offer_user_api

_FLUSH_SECONDS: Final = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Load, report, end; return the exit code."""
    arguments = read_arguments(argv)
    os.environ.setdefault("MPLBACKEND", "Agg")
    channel = Channel(socket.socket(fileno=arguments.channel_fd), lambda _: None)
    channel.start()
    namespace = new_namespace()
    offer_user_api(namespace, arguments.list_command)
    try:
        channel.send(FromEnvironment(ready=_report(arguments, namespace)))
    except BaseException as error:  # noqa: BLE001 - protects the report: startup code may raise anything
        _give_up(channel, arguments, error)
    channel.close(_FLUSH_SECONDS)
    return bound_the_end(0)


def _report(arguments: EnvironmentArguments, namespace: dict[str, Any]) -> EnvironmentReady:
    # As in an environment: devices of ophyd-async connect in its event loop.
    engine = None if arguments.keep_re else _make_run_engine()
    load(arguments.source, namespace, _announce)
    if namespace.get("RE") is None:
        namespace["RE"] = engine

    from queueserver_environment.describe.docstrings import docstrings_of  # noqa: PLC0415 - takes time

    inventory = _inventory(namespace, arguments.device_max_depth)
    for issue in inventory.issues:
        streams.note(f"{issue.message}\n")
    if arguments.strict:
        refuse_issues(inventory.issues)
    return EnvironmentReady(inventory, docstrings=dict(docstrings_of(inventory, namespace)))


def _inventory(namespace: dict[str, Any], depth: int) -> Inventory:
    from queueserver_environment.describe.inventory import take_inventory  # noqa: PLC0415 - takes time
    from queueserver_environment.plans.run_engine import run_engine_issues  # noqa: PLC0415 - as well

    inventory = take_inventory(namespace, device_max_depth=depth)
    return replace(inventory, issues=(*inventory.issues, *run_engine_issues(namespace)))


def _make_run_engine() -> Any:
    from queueserver_environment.plans.run_engine import make_run_engine  # noqa: PLC0415 - takes time

    return make_run_engine()


def _announce(text: str) -> None:
    streams.note(f"{text}\n")


def _give_up(channel: Channel, arguments: EnvironmentArguments, error: BaseException) -> NoReturn:
    """Report why the startup code failed and end now: threads it left behind must not keep the process."""
    failure = startup_failure(error, arguments.source.owns)
    streams.note(failure.traceback or f"{failure.message}\n")
    channel.send(FromEnvironment(failed=failure))
    streams.flush()
    channel.close(_FLUSH_SECONDS)
    end_now(1)


if __name__ == "__main__":
    # Endless startup code must not outlive the process that wanted the list.
    die_with_supervisor()
    raise SystemExit(main())
