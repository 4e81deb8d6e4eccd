"""A process that loads startup code only to list its plans and devices in a file.

It prints what the startup code prints; its own messages go to standard error. Its exit code tells
the result; when the startup code can't be loaded, a second file says why.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from queueserver_inventory.descriptions import Inventory, InventoryIssueKind
from queueserver_inventory.list_file import write_list

from queueserver_environment.console.standard_streams import streams
from queueserver_environment.plans.failures import startup_failure
from queueserver_environment.process.orphaned import die_with_supervisor
from queueserver_environment.process.shutdown import bound_the_end, end_now
from queueserver_environment.process.startup_arguments import EnvironmentArguments, read_arguments
from queueserver_environment.startup.listing_terms import FAILED, LEFT_OUT, reason_file
from queueserver_environment.startup.startup import load, new_namespace
from queueserver_environment.startup.startup_issues import refuse_issues
from queueserver_environment.user_api.compatibility import offer_user_api


def main(argv: Sequence[str] | None = None) -> int:
    """Load, list, end; return the exit code."""
    arguments = read_arguments(argv)
    file = arguments.list_file
    if file is None:
        raise SystemExit("The option that names the list file is missing.")
    os.environ.setdefault("MPLBACKEND", "Agg")
    namespace = new_namespace()
    offer_user_api(namespace)
    try:
        inventory = _inventory(arguments, namespace)
    except BaseException as error:  # noqa: BLE001 - protects the report: startup code may raise anything
        _give_up(arguments, error, reason_file(file))
    file.write_text(write_list(inventory), encoding="utf-8")
    left_out = [issue for issue in inventory.issues if issue.kind is InventoryIssueKind.PLAN]
    if left_out:
        reason_file(file).write_text(" ".join(issue.message for issue in left_out), encoding="utf-8")
    return bound_the_end(LEFT_OUT if left_out else 0)


def _inventory(arguments: EnvironmentArguments, namespace: dict[str, Any]) -> Inventory:
    # As in an environment: devices of ophyd-async connect in its event loop.
    engine = None if arguments.keep_re else _make_run_engine()
    load(arguments.source, namespace, _announce)
    if namespace.get("RE") is None:
        namespace["RE"] = engine

    from queueserver_environment.describe.inventory import take_inventory  # noqa: PLC0415 - takes time
    from queueserver_environment.plans.run_engine import run_engine_issues  # noqa: PLC0415 - as well

    inventory = take_inventory(namespace, device_max_depth=arguments.device_max_depth)
    inventory = replace(inventory, issues=(*inventory.issues, *run_engine_issues(namespace)))
    for issue in inventory.issues:
        streams.note(f"{issue.message}\n")
    if arguments.strict:
        refuse_issues(inventory.issues)
    return inventory


def _make_run_engine() -> Any:
    from queueserver_environment.plans.run_engine import make_run_engine  # noqa: PLC0415 - takes time

    return make_run_engine()


def _announce(text: str) -> None:
    streams.note(f"{text}\n")


def _give_up(arguments: EnvironmentArguments, error: BaseException, reason: Path) -> NoReturn:
    """Report why the startup code failed and end now: threads it left behind must not keep the process."""
    failure = startup_failure(error, arguments.source.owns)
    streams.note(failure.traceback or f"{failure.message}\n")
    reason.write_text(failure.message, encoding="utf-8")
    end_now(FAILED)


if __name__ == "__main__":
    # Endless startup code must not outlive the process that wanted the list.
    die_with_supervisor()
    raise SystemExit(main())
