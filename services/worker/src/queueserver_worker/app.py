"""The Worker put together: its parts, its server, its orderly end.

Guarantees: it announces its address only when it can be called; SIGTERM and SIGINT end the plan, the environment
and the watches in that order, within bounded time. A kill loses no outcome (see `supervisor.outcomes`).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from pathlib import Path

from queueserver.worker.v1 import worker_service_pb2_grpc
from queueserver_rpc.interceptors import RefusalInterceptor
from queueserver_rpc.process import announce_ready, stop_requested
from queueserver_rpc.server import Server

from queueserver_worker.rpc.errors import translate
from queueserver_worker.rpc.worker import SERVICE_NAME, WorkerServicer
from queueserver_worker.settings import Settings
from queueserver_worker.supervisor.echo import ConsoleEcho, silence
from queueserver_worker.supervisor.journal import Journal
from queueserver_worker.supervisor.launch import Launch
from queueserver_worker.supervisor.outcomes import Outcomes
from queueserver_worker.supervisor.worker import Worker

# After the last event was published, streams get this long to deliver it.
_DELIVERY_SECONDS = 1.0
_UNIX = "unix:"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# What fits into the kernel's sockaddr_un everywhere (Linux has 107, macOS 103).
_MAX_UNIX_PATH = 103
_log = logging.getLogger(__name__)


async def serve(settings: Settings, launch: Launch | None = None) -> int:
    """Run a Worker until it is told to stop; answers the exit code."""
    stop = stop_requested()
    try:
        outcomes = Outcomes(settings.state_dir)
    except OSError as error:
        _log.error("Can't use the state directory: %s", error)
        return 1
    journal = Journal(settings.journal_bytes)
    echo = ConsoleEcho() if settings.console_output else None
    worker = Worker(launch or Launch(settings.startup), journal, outcomes, echo or silence)
    server = Server((SERVICE_NAME,), [RefusalInterceptor(translate)])
    worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(WorkerServicer(worker), server.registry)
    try:
        address = _listen(server, settings.listen)
    except OSError as error:
        _log.error("%s", error)
        outcomes.close()
        return 1
    await server.start()
    for service in ("", SERVICE_NAME):
        await server.set_serving(service, serving=True)
    _log.info("The Worker listens on %s.", address)
    announce_ready(address)
    await stop.wait()
    _log.info("The Worker is being stopped.")
    await worker.stop(settings.plan_stop_timeout, settings.close_stop_timeout, settings.acknowledge_timeout)
    await server.stop(_DELIVERY_SECONDS)
    _forget(settings.listen)
    outcomes.close()
    if echo is not None:
        echo.close()
    return 0


def _listen(server: Server, address: str) -> str:
    """Bind the address; answers it with the real port. Raises OSError if it can't be bound."""
    if not address.startswith(_UNIX):
        if address.rpartition(":")[0] not in _LOOPBACK:
            _log.warning("Whoever can reach %s can run plans on this machine: let a firewall guard it.", address)
        return server.listen(address)
    path = Path(address.removeprefix(_UNIX))
    if not path.parent.is_dir():
        raise OSError(f"Can't listen on {address}: create the directory {path.parent} first.")
    if len(os.fsencode(path)) > _MAX_UNIX_PATH:
        raise OSError(f"Can't listen on {address}: choose a path of at most {_MAX_UNIX_PATH} bytes.")
    _remove_stale(path)
    # Whoever can connect can run plans, so the socket is its owner's alone.
    mask = os.umask(0o177)
    try:
        return server.listen(address)
    finally:
        os.umask(mask)


def _remove_stale(path: Path) -> None:
    """Remove the socket of a dead process. Raises OSError if a living one listens on it."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise OSError(f"Can't listen on {_UNIX}{path}: another service is using it.")


def _forget(address: str) -> None:
    if address.startswith(_UNIX):
        with contextlib.suppress(OSError):
            Path(address.removeprefix(_UNIX)).unlink()
