"""The command start-re-manager: everything on this machine, in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from queueserver_rpc.listening import UNIX

from queueserver_standalone import log
from queueserver_standalone.child import READY_FD_VARIABLE
from queueserver_standalone.data_directory import exclusive, prepare, runtime_directory
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.redis_address import without_password
from queueserver_standalone.services import Services
from queueserver_standalone.settings import DEFAULT_LISTEN, Settings, parse
from queueserver_standalone.supervisor import Part, Supervisor

# A plan that runs is aborted in good order, and the Manager has to store its outcome.
_WORKER_GRACE = 12.0
_MANAGER_GRACE = 5.0
_REDIS_GRACE = 15.0
_EXAMPLE = """'{"name": "count", "args": [["det1", "det2"]], "kwargs": {"num": 5}}'"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; answers the exit code: 0 when stopped on request, 1 when something is wrong."""
    log.configure()
    try:
        settings = parse(arguments)
        prepare(settings.data_directory)
        with exclusive(settings.data_directory) as lock_fd:
            return _run(settings, lock_fd)
    except StandaloneError as error:
        log.logger.error("%s", error)
        return 1


def _run(settings: Settings, lock_fd: int) -> int:
    sockets = runtime_directory(settings.data_directory)
    try:
        return asyncio.run(_serve(Services(settings, sockets, lock_fd)))
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


async def _serve(services: Services) -> int:
    supervisor = Supervisor(_stages(services))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.request_stop)
    _say_what_starts(services)
    starting = asyncio.create_task(supervisor.start())
    stopping = asyncio.create_task(supervisor.wait())
    try:
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _say_what_to_type(services.address)
            _announce(services.address)
            await stopping
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        log.logger.info("Stopping. A second Ctrl-C stops at once, without storing what a running plan did.")
        await supervisor.end()
        log.logger.info("Stopped.")
    return 1 if supervisor.gave_up else 0


def _stages(services: Services) -> list[list[Part]]:
    # A plan runs without Manager and Redis, and waits in the Worker until they are back: they are never given up.
    manager = Part("Manager", services.manager, _MANAGER_GRACE, dispensable=True)
    stages = [[Part("Worker", services.worker, _WORKER_GRACE), manager]]
    if services.redis_program is not None:
        stages.insert(0, [Part("Redis", services.redis, _REDIS_GRACE, dispensable=True)])
    return stages


def _say_what_starts(services: Services) -> None:
    settings = services.settings
    demo = " (the demo: simulated devices; choose yours by --startup-dir)" if settings.startup.is_demo else ""
    log.logger.info("Starting Queue Server on %s", settings.listen)
    log.logger.info("Startup code: %s%s", settings.startup.value, demo)
    log.logger.info("Data: %s", settings.data_directory)
    if services.redis_program is not None:
        log.logger.info("Redis: embedded, %s", services.redis_program.version)
    elif settings.redis is not None:
        log.logger.info("Redis: %s", without_password(settings.redis))


def _say_what_to_type(address: str) -> None:
    log.logger.info("Ready: clients connect to %s. In another terminal, type for example:", address)
    if address != DEFAULT_LISTEN:
        log.logger.info("    export QSERVER_ADDRESS=%s", address)
    qserver = _command("qserver")
    log.logger.info("    %s environment open --wait", qserver)
    log.logger.info("    %s queue add plan %s", qserver, _EXAMPLE)
    log.logger.info("    %s queue start", qserver)
    log.logger.info("    %s watch", qserver)
    log.logger.info("    grpcurl -plaintext %s list", address.replace(UNIX, "-unix ", 1))
    log.logger.info("Ctrl-C stops everything.")


def _command(name: str) -> str:
    """How to call a command that is installed beside this one: by name, or by path if the shell would not find it."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) is not None or not beside.exists():
        return name
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)


def _announce(address: str) -> None:
    """Tell whoever started us, if it asked, that all of it is ready."""
    number = os.environ.get(READY_FD_VARIABLE, "")
    if number.isdigit():
        with contextlib.suppress(OSError), os.fdopen(int(number), "w") as pipe:
            pipe.write(f"{address}\n")


if __name__ == "__main__":
    sys.exit(main())
