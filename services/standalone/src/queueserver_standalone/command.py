"""The work of start-re-manager: everything on this machine, in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Sequence
from dataclasses import replace

from async_timeout import timeout
from queueserver_process.log import LogChoice, configure
from queueserver_process.ready import STANDBY_LINE, announce_ready
from queueserver_process.systemd import SystemdNotifier
from queueserver_rpc.listening import UNIX, check_free
from queueserver_rpc.unix_socket import place_for

from queueserver_standalone import first_lines, log
from queueserver_standalone.configuration.settings import Settings, parse
from queueserver_standalone.data_directory import exclusive, prepare, runtime_directory
from queueserver_standalone.embedded_redis.disk_watch import DiskWatch
from queueserver_standalone.embedded_redis.redis_check import check_redis
from queueserver_standalone.errors import StandaloneError
from queueserver_standalone.server_report import ServerReport
from queueserver_standalone.services import Services
from queueserver_standalone.supervisor import ManagedProcess, Supervisor

# The running plan is aborted in good order, and the Manager has to store its outcome.
_WORKER_GRACE = 12.0
_MANAGER_GRACE = 5.0
_REDIS_GRACE = 15.0
_BRIDGE_GRACE = 3.0
#: Seconds after all parts have started; then a line says that the Manager is not connected to them yet.
_MEETING_SECONDS = 5.0


def run(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; returns the exit code: 0 when stopped on request, 1 when something is wrong."""
    configure(LogChoice())
    systemd = SystemdNotifier()
    try:
        settings = parse(arguments)
        configure(settings.log)
        for note in settings.notes:
            log.logger.warning("%s", note)
        prepare(settings.data_directory)
        with exclusive(settings.data_directory) as lock_fd:
            _look_ahead(settings)
            return _run(_without_hindered_bridge(settings), lock_fd, systemd)
    except StandaloneError as error:
        log.logger.critical("%s", error)
        return 1


def _look_ahead(settings: Settings) -> None:
    """Say at once what would keep the parts from starting. Raises StandaloneError."""
    try:
        if settings.listen.startswith(UNIX):
            with place_for(settings.listen):
                pass
        else:
            check_free(settings.listen)
    except OSError as error:
        raise StandaloneError(str(error)) from error
    if settings.redis is not None:
        check_redis(settings.redis)


def _without_hindered_bridge(settings: Settings) -> Settings:
    """Leave the 0MQ bridge out if it can't be started and no option asks for it."""
    hindrance = settings.zmq_bridge.hindrance()
    if not hindrance:
        return settings
    log.logger.warning("%s", hindrance)
    return replace(settings, zmq_bridge=replace(settings.zmq_bridge, is_on=False))


def _run(settings: Settings, lock_fd: int, systemd: SystemdNotifier) -> int:
    sockets = runtime_directory(settings.data_directory)
    try:
        return asyncio.run(_serve(Services(settings, sockets, lock_fd), systemd))
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


async def _serve(services: Services, systemd: SystemdNotifier) -> int:
    report = ServerReport(services, systemd)
    supervisor = Supervisor(_stages(services), report.show)
    report.begin(supervisor)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.request_stop)
    first_lines.say_what_starts(services)
    starting = asyncio.create_task(supervisor.start())
    stopping = asyncio.create_task(supervisor.wait())
    obeying = asyncio.create_task(_obey(services, supervisor))
    following: asyncio.Task[None] | None = None
    embedded = services.redis_program is not None
    watch = DiskWatch(services.disk, services.report, services.redis_socket)
    watching = asyncio.create_task(watch.run()) if embedded else None
    try:
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            following = asyncio.create_task(_follow(services, report))
            await stopping
    finally:
        report.end()
        tasks = [task for task in (starting, stopping, obeying, following, watching) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if following is not None:
            log.logger.info("Stopping. A second Ctrl-C stops at once, without storing what a running plan did.")
        await supervisor.end()
        log.logger.info("Stopped.")
    return 1 if supervisor.gave_up else 0


async def _obey(services: Services, supervisor: Supervisor) -> None:
    """Stop everything when a client asks for it."""
    await services.stop_asked.wait()
    log.logger.info("A client has stopped the server.")
    if not supervisor.is_stopping:
        supervisor.request_stop()


def _stages(services: Services) -> list[list[ManagedProcess]]:
    # Without Manager and Redis a plan keeps running, and its outcome waits in the Worker: so they are always restarted.
    manager = ManagedProcess("Manager", services.manager, _MANAGER_GRACE, dispensable=True)
    stages = [[ManagedProcess("Worker", services.worker, _WORKER_GRACE), manager]]
    if services.redis_program is not None:
        stages.insert(0, [ManagedProcess("Redis", services.redis, _REDIS_GRACE, dispensable=True)])
    bridge = services.settings.zmq_bridge
    if bridge.is_on:
        is_late = not bridge.is_asked_for
        stages.append(
            [ManagedProcess("0MQ bridge", services.zmq_bridge, _BRIDGE_GRACE, dispensable=True, later=is_late)]
        )
    return stages


async def _follow(services: Services, report: ServerReport) -> None:
    """Print once that plans can be executed, or that another server owns the queue."""
    announced = False
    while True:
        try:
            async with timeout(None if announced else _MEETING_SECONDS):
                await services.manager_spoke.wait()
        except asyncio.TimeoutError:
            first_lines.say_what_is_waited_for()
            await services.manager_spoke.wait()
        services.manager_spoke.clear()
        word, _, owner = services.manager_says.partition(" ")
        if word == STANDBY_LINE:
            first_lines.say_who_owns_the_queue(services.address, owner)
        else:
            first_lines.say_what_to_type(services.address, demo=services.settings.startup.is_demo)
        if not announced:
            announced = True
            announce_ready(services.address)
            report.ready()
        if word != STANDBY_LINE:
            return
