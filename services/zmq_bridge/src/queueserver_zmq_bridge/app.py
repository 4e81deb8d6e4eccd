"""The bridge as a whole: the connection to the Manager, the two sockets, and their end."""

from __future__ import annotations

import asyncio
import logging

import zmq.asyncio
from queueserver_process.process import stop_requested
from queueserver_process.ready import ReadyPipe

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
        settings, stopped, ready = self._settings, stop_requested(), ReadyPipe()
        encoding = encoding_of(settings.encoding)
        server = Server(settings.manager, encoding)
        with zmq.asyncio.Context() as context:
            control = ControlSocket(context, settings.control_address, encoding, settings.private_key)
            control.bind()
            dispatcher = Dispatcher(server, METHODS)
            serving = asyncio.create_task(control.serve(dispatcher.answer))
            logger.info("0MQ control socket is waiting on %s", control.address)
            ready.ready(control.address)
            stopping = asyncio.create_task(stopped.wait())
            try:
                await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if serving.done():
                    serving.result()
            finally:
                serving.cancel()
                stopping.cancel()
                await asyncio.gather(serving, stopping, return_exceptions=True)
                control.close()
                await server.close()
        return 0
