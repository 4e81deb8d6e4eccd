"""What a simulation knows of devices: where they would be, what a reading would look like, how long they would take.

Devices are only read, never commanded: their position or location, the keys of their readings, and what they say about
their speed. A device that can't be read lacks that answer, nothing more.
"""

import asyncio
import concurrent.futures
import inspect
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import numpy as np

from queueserver_environment.plans.failures import error_text

ANSWER_SECONDS: Final = 2.0
"""How long an ophyd-async device may take to answer."""
_ZEROS: Final[dict[str, Any]] = {"number": 0.0, "integer": 0, "string": "", "boolean": False}
_EXPOSURES: Final = ("exposure_time", "count_time", "preset_time")


class SimulatedDevices:
    """The devices of one simulation. Used by its thread.

    Parameters
    ----------
    positions
        Where devices would be, by their identity; filled as they are set.
    loop
        The RunEngine's event loop, which reads ophyd-async devices; None without a RunEngine.

    """

    def __init__(self, positions: dict[int, Any], loop: asyncio.AbstractEventLoop | None) -> None:
        self._positions = positions
        self._loop = loop
        self._values: dict[str, Any] = {}
        self._keys: dict[int, dict[str, Any]] = {}
        # Identities stay unique as long as the objects live.
        self._known: dict[int, Any] = {}

    def check(self, device: Any, target: Any) -> str:
        """Say what is wrong with a target; nothing if all is well, or the device does not say."""
        check_value = getattr(device, "check_value", None)
        if not callable(check_value):
            return ""
        try:
            self._wait_for(check_value(target))
        except _NoAnswerError:
            return ""
        except Exception as error:  # noqa: BLE001 - protects the simulation: refusing is what this call is for
            return error_text(error)
        return ""

    def move(self, device: Any, target: Any) -> float | None:
        """Put a device where it was told to go; returns how many seconds that takes, None if unknown."""
        seconds = self._told_estimate(device, "set", target)
        if seconds is None:
            seconds = self._travel_time(device, target)
        self._remember(device)
        self._positions[id(device)] = target
        for key in _position_keys(device):
            self._values[key] = target
        return seconds

    def exposure(self, device: Any) -> float | None:
        """Return how many seconds a trigger takes; None if unknown."""
        seconds = self._told_estimate(device, "trigger")
        if seconds is not None:
            return seconds
        times = (self._number_in(device, name) for name in _EXPOSURES)
        return next((seconds for seconds in times if seconds is not None and seconds >= 0), None)

    def reading(self, device: Any) -> dict[str, Any]:
        """Make up a reading: the right keys, positions as they would be, zeros for what was never measured."""
        now = time.time()
        return {key: {"value": self._value(key, zero), "timestamp": now} for key, zero in self._keys_of(device).items()}

    def location(self, device: Any) -> dict[str, Any]:
        """Return where a device would be; zero if it can't say where it is."""
        where = self._position(device)
        where = 0 if where is None else where
        return {"setpoint": where, "readback": where}

    def _position(self, device: Any) -> Any:
        if id(device) in self._positions:
            return self._positions[id(device)]
        if hasattr(type(device), "locate"):
            located = self._ask(lambda: device.locate())  # noqa: PLW0108 - whatever it raises is for _ask
            return located.get("setpoint") if isinstance(located, Mapping) else None
        return self._ask(lambda: device.position)

    def _keys_of(self, device: Any) -> dict[str, Any]:
        """Find the keys of a device's readings, each with an initial value."""
        known = self._keys.get(id(device))
        if known is not None:
            return known
        self._remember(device)
        described = self._ask(lambda: device.describe())  # noqa: PLW0108 - it may have none, and that is an answer
        name = str(getattr(device, "name", "value"))
        keys = {str(key): _zero(data_key) for key, data_key in described.items()} if _is_map(described) else {name: 0.0}
        where = self._position(device)
        if to_number(where) is not None:
            keys.update({key: where for key in _position_keys(device) if key in keys})
        self._keys[id(device)] = keys
        return keys

    def _value(self, key: str, otherwise: Any) -> Any:
        return self._values.get(key, otherwise)

    def _travel_time(self, device: Any, target: Any) -> float | None:
        delay = self._number_in(device, "delay")
        if delay is not None:
            return max(0.0, delay)
        velocity = self._number_in(device, "velocity")
        if not velocity or velocity < 0:
            return None
        begin, end = to_number(self._position(device)), to_number(target)
        return None if begin is None or end is None else abs(end - begin) / velocity

    def _told_estimate(self, device: Any, *command: Any) -> float | None:
        estimate = getattr(device, "est_time", None)
        if not callable(estimate):
            return None
        seconds = to_number(self._ask(lambda: estimate(*command)))
        return seconds if seconds is not None and seconds >= 0 else None

    def _number_in(self, device: Any, name: str) -> float | None:
        """Take a number that a device has, or the value of a signal that it has."""
        found = self._ask(lambda: getattr(device, name))
        for read in ("get", "get_value"):
            if callable(getattr(found, read, None)):
                found = self._ask(getattr(found, read))
                break
        return to_number(found)

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return self._wait_for(question())
        except Exception:  # noqa: BLE001 - protects the simulation from a device that is not connected or broken
            return None

    def _wait_for(self, answer: Any) -> Any:
        if not inspect.isawaitable(answer):
            return answer
        if self._loop is None or not self._loop.is_running():
            _never_await(answer)
            raise _NoAnswerError
        future = asyncio.run_coroutine_threadsafe(_awaited(answer), self._loop)
        try:
            return future.result(ANSWER_SECONDS)
        except concurrent.futures.TimeoutError:
            # A plan blocks the loop, and may do so for long: no other device is asked.
            self._loop = None
            raise _NoAnswerError from None
        finally:
            future.cancel()

    def _remember(self, device: Any) -> None:
        self._known[id(device)] = device


class _NoAnswerError(Exception):
    """An ophyd-async device can't be asked now."""


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer


def _never_await(answer: Any) -> None:
    if inspect.iscoroutine(answer):
        answer.close()


def _position_keys(device: Any) -> list[str]:
    """List the keys of a reading that show where a device is."""
    name = str(getattr(device, "name", ""))
    keys = [name, f"{name}_setpoint", f"{name}_user_setpoint"]
    try:
        hinted = list(device.hints.get("fields", ()))
    except Exception:  # noqa: BLE001 - protects the simulation from a device that is not connected or broken
        hinted = []
    return [*keys, *hinted] if len(hinted) == 1 else keys


def _is_map(described: Any) -> bool:
    return isinstance(described, Mapping) and bool(described)


def _zero(data_key: Any) -> Any:
    if not isinstance(data_key, Mapping):
        return 0.0
    if data_key.get("dtype") == "array":
        return _zeros(data_key.get("shape"))
    return _ZEROS.get(str(data_key.get("dtype")), 0.0)


def _zeros(shape: Any) -> Any:
    lengths = [int(length) if isinstance(length, int) and length > 0 else 1 for length in shape or (1,)]
    # One zero that looks like an array of any size: a camera that takes no picture should cost no memory.
    return np.broadcast_to(np.zeros(()), lengths)


def to_number(value: Any) -> float | None:
    """Take a finite number of any kind; None for everything else, truth values and texts included."""
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
