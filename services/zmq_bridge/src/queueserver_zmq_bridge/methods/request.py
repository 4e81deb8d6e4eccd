"""From a decoded request to the object that answers it: envelope, parameters, lock, method, failure."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Final

from async_timeout import timeout
from queueserver_client import DeadlineExceeded, QueueServerError, ServiceUnavailable

from queueserver_zmq_bridge.answers.failures import sentence
from queueserver_zmq_bridge.methods.locking import require_key
from queueserver_zmq_bridge.methods.method import Fields, Method, Params
from queueserver_zmq_bridge.methods.status import manager_status
from queueserver_zmq_bridge.refusal import NoAnswer, NotTaken, Refused, shown
from queueserver_zmq_bridge.server import Server

logger = logging.getLogger(__name__)
_ENVELOPE: Final = ("method", "params")
_SHOWN: Final = 200
#: Within which a request is answered; clients wait for two seconds.
ANSWER_SECONDS: Final = 1.8
_HALF: Final = "A text of the request has half a character, a surrogate, which can't be stored: send whole characters."
_TOO_SLOW: Final = (
    "Timeout: the server did not answer in time. The request may or may not have been carried out: look before you "
    "repeat it."
)


class Dispatcher:
    """Answers requests."""

    def __init__(self, server: Server, methods: Mapping[str, Method]) -> None:
        self._server = server
        self._methods = methods

    async def answer(self, request: object) -> Fields | None:
        """The answer to a decoded request, whatever it is; None if there must be none."""
        try:
            method, params = self._read(request)
        except Refused as refusal:
            return {"success": False, "msg": refusal.message}
        try:
            return await self._carry_out(method, params)
        except NoAnswer:
            return None

    def _read(self, request: object) -> tuple[Method, Params]:
        """The method, and its parameters. Raises Refused for what is no request."""
        if not isinstance(request, dict):
            raise Refused(f"Incorrect request type: {type(request).__name__}. An object (dictionary) is expected")
        if "method" not in request:
            raise Refused(f"Invalid request format: method is not specified: {_shown(request)}")
        unexpected = [key for key in request if key not in _ENVELOPE]
        if unexpected:
            raise Refused(f"Request contains unexpected keys {_shown(unexpected)}. Allowed keys: 'method', 'params'")
        name, params = request["method"], request.get("params")
        method = self._methods.get(name) if isinstance(name, str) else None
        if method is None:
            raise Refused(f"Unknown method {_shown(name)}")
        if not isinstance(params, dict):
            if params is not None and not method.bare:
                raise Refused(
                    f"Incorrect type of 'params': {type(params).__name__}. An object (dictionary) is expected"
                )
            params = {}
        return method, params

    async def _carry_out(self, method: Method, params: Params) -> Fields:
        try:
            if method.bare:
                return await method.run(self._server, params)
            _require_known(method, params)
            async with timeout(None if method.about_many else ANSWER_SECONDS):
                fields = await self._run(method, params)
        except Refused as refusal:
            return await self._failure(method, params, refusal)
        except QueueServerError as error:
            return await self._failure(method, params, Refused(sentence(error)))
        except UnicodeEncodeError:
            return await self._failure(method, params, Refused(_HALF))
        except asyncio.TimeoutError:
            return await self._failure(method, params, Refused(_TOO_SLOW))
        except NoAnswer:
            raise
        except Exception:
            logger.exception("Method %s failed; this is a fault of the bridge.", method.name)
            return await self._failure(method, params, Refused("the bridge failed; its log says why"))
        return {"success": True, "msg": "", **fields}

    async def _failure(self, method: Method, params: Params, refusal: Refused) -> Fields:
        fields = method.failure(params, refusal)
        if method.tells_size:
            with contextlib.suppress(QueueServerError):
                fields["qsize"] = (await manager_status(self._server)).items_in_queue
        return fields

    async def _run(self, method: Method, params: Params) -> Fields:
        try:
            return await method.run(self._server, params)
        except (ServiceUnavailable, DeadlineExceeded):
            raise
        except (Refused, QueueServerError):
            # The lock is what a caller is told of first, whatever else is wrong with the request.
            await require_key(self._server, method.lock, params)
            raise


def _require_known(method: Method, params: Params) -> None:
    unsupported = [name for name in params if name not in method.known]
    if unsupported:
        raise NotTaken(
            f"API request contains unsupported parameters: {_shown(unsupported)[1:-1]}. "
            f"Supported parameters: {list(method.known)}"
        )


def _shown(value: object) -> str:
    return shown(value, _SHOWN)
