"""The bridge as a whole: the connection to the Manager, the two sockets, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import zmq.asyncio
from queueserver_process.process import stop_requested
from queueserver_process.ready import ReadyPipe
from queueserver_process.systemd import SystemdNotifier

from queueserver_zmq_bridge.info.information_socket import InformationSocket
from queueserver_zmq_bridge.info.publisher import Publisher
from queueserver_zmq_bridge.methods import METHODS
from queueserver_zmq_bridge.methods.request import Dispatcher
from queueserver_zmq_bridge.server import Server
from queueserver_zmq_bridge.settings import Settings
from queueserver_zmq_bridge.sockets.control_socket import ControlSocket
from queueserver_zmq_bridge.sockets.encoding import encoding_of

logger = logging.getLogger(__name__)


class Bridge:
    """Serves until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self) -> int:
        """Bind the sockets and serve; returns the exit code. Raises BindError."""
        settings, stopped, ready, systemd = self._settings, stop_requested(), ReadyPipe(), SystemdNotifier()
        encoding = encoding_of(settings.encoding)
        server = Server(settings.manager, encoding, ready)
        with zmq.asyncio.Context() as context:
            control = ControlSocket(context, settings.control_address, encoding, settings.private_key)
            information = InformationSocket(context, settings.info_address, encoding) if settings.publish else None
            try:
                control.bind()
                if information is not None:
                    information.bind()
                _log_addresses(control, information)
                work = [control.serve(Dispatcher(server, METHODS).answer)]
                if information is not None:
                    work.append(Publisher(server, information).run())
                ready.ready(control.address)
                systemd.ready(f"Serving clients of bluesky-queueserver on {control.address}")
                systemd.feed_watchdog()
                await _until(stopped, work)
            finally:
                systemd.stopping("Answering requests that are carried out")
                control.close()
                if information is not None:
                    information.close()
                await server.close()
        return 0


def _log_addresses(control: ControlSocket, information: InformationSocket | None) -> None:
    logger.info("0MQ control socket is waiting on %s", control.address)
    if information is not None:
        logger.info("0MQ information socket publishes on %s", information.address)


async def _until(stopped: asyncio.Event, work: list[Coroutine[Any, Any, None]]) -> None:
    """Do all of the work until a stop is requested, or a part of it fails."""
    stopping = asyncio.create_task(stopped.wait())
    tasks = [asyncio.create_task(part) for part in work]
    try:
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        stopping.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(stopping, *tasks, return_exceptions=True)
