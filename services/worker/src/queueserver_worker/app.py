"""The Worker's parts, its server, and its orderly shutdown.

Guarantees: it announces its address only when it can be called; SIGTERM and SIGINT end the plan, the environment
and the watches in that order, within bounded time. A kill loses no outcome (see `supervisor.executions.outcomes`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from importlib.metadata import version

from queueserver.worker.v1 import worker_service_pb2_grpc
from queueserver_process.process import stop_requested
from queueserver_process.process_facts import ProcessFacts, versions_of
from queueserver_process.ready import announce_ready
from queueserver_process.systemd import SystemdNotifier
from queueserver_protos import descriptor_set
from queueserver_rpc.interceptors import RefusalInterceptor
from queueserver_rpc.server import Server
from queueserver_rpc.tls_files import names

from queueserver_worker.environment_command import environment_command
from queueserver_worker.rpc.errors import translate
from queueserver_worker.rpc.worker import SERVICE_NAME, WorkerServicer
from queueserver_worker.settings import Settings
from queueserver_worker.supervisor.executions.outcomes import Outcomes
from queueserver_worker.supervisor.executions.state_directory import StateDirectory
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.process.about import About
from queueserver_worker.supervisor.process.console import ConsoleEcho, silence
from queueserver_worker.supervisor.process.process import Launch
from queueserver_worker.supervisor.worker import Worker

# After the last event was published, streams get this long to deliver it.
_DELIVERY_SECONDS = 1.0
#: Libraries whose versions are reported.
_LIBRARIES = ("queueserver-protos", "grpcio", "protobuf", "uvloop")
_TLS_OPTIONS = tuple(f"--{name}" for name in names(""))
_log = logging.getLogger(__name__)


async def serve(settings: Settings, launch: Launch | None = None) -> int:
    """Run a Worker until it is told to stop; returns the exit code."""
    stop = stop_requested()
    systemd = SystemdNotifier()
    systemd.feed_watchdog()
    try:
        directory = StateDirectory(settings.state_dir)
    except OSError as error:
        _log.critical(
            "Can't use the state directory %s: %s. Give --state-dir a directory that can be written, and that no other "
            "Worker uses.",
            *(settings.state_dir, error.strerror or error),
        )
        return 1
    with contextlib.closing(directory):
        return await _serve(settings, launch or _launch(settings), directory, stop, systemd)


def _launch(settings: Settings) -> Launch:
    return Launch(
        settings.startup,
        environment_command(settings.environment_python),
        list_file=settings.lists.file,
        list_changes=settings.lists.also_changes,
    )


def _about(settings: Settings) -> About:
    facts = ProcessFacts(version("queueserver-worker"), versions_of(_LIBRARIES))
    return About(facts, settings.source, settings.shown())


async def _serve(
    settings: Settings, launch: Launch, directory: StateDirectory, stop: asyncio.Event, systemd: SystemdNotifier
) -> int:
    outcomes = Outcomes(directory)
    journal = Journal(settings.journal_bytes)
    echo = ConsoleEcho() if settings.console_output else None
    worker = Worker(launch, journal, outcomes, echo or silence, _about(settings))
    server = Server((SERVICE_NAME,), [RefusalInterceptor(translate)], descriptor_set=descriptor_set())
    servicer = WorkerServicer(worker, lambda: server.insecure)
    worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(servicer, server.registry)
    try:
        address = server.listen(
            settings.listen, insecure=settings.insecure_listen, tls=settings.tls, tls_options=_TLS_OPTIONS
        )
    except OSError as error:
        _log.critical("%s", error)
        return 1
    await server.start()
    for service in ("", SERVICE_NAME):
        await server.set_serving(service, serving=True)
    _log.info("The Worker listens on %s", address)
    announce_ready(address)
    systemd.ready(f"Serving on {address}")
    trying = asyncio.create_task(directory.keep_trying())
    await stop.wait()
    _log.info("The Worker is being stopped.")
    systemd.stopping("Ending the plan and the environment")
    await worker.stop(settings.plan_stop_timeout, settings.close_stop_timeout, settings.acknowledge_timeout)
    await server.stop(_DELIVERY_SECONDS)
    trying.cancel()
    if echo is not None:
        echo.close()
    return 0
