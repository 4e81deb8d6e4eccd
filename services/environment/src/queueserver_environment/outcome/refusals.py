"""Devices that refuse to be paused or resumed, found in the traceback of what they raised."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from queueserver_environment.plans.failures import error_text

_METHODS: Final = ("pause", "resume")
_CALLERS: Final = ("_run", "_start_suspender", "resume", "_resume")
"""Methods of the RunEngine that call those of devices, each with the device in its local variable `obj`."""


@dataclass(frozen=True)
class Refusal:
    """A device that was to be paused or resumed and raised an error."""

    #: Its name, or its class if it has none.
    device: str
    #: "pause" or "resume".
    method: str
    error: BaseException

    @property
    def text(self) -> str:
        """What happened, as the part of a sentence."""
        return f"device {self.device!r} refused to {self.method}: {error_text(self.error)}"


def refusal_in(error: BaseException | None) -> Refusal | None:
    """Find the device that raised an error while it was to be paused or resumed.

    Ask while the RunEngine's frame is as it was: it uses the variable again when it tidies up.
    """
    if error is None:
        return None
    caller: TracebackType | None = None
    part = error.__traceback__
    while part is not None:
        code = part.tb_frame.f_code
        if code.co_name in _CALLERS and "obj" in part.tb_frame.f_locals and _is_of_run_engine(part):
            caller = part
        elif caller is not None and code.co_name in _METHODS:
            device = caller.tb_frame.f_locals["obj"]
            # A plan may have such a name, too.
            if any(value is device for value in part.tb_frame.f_locals.values()):
                return Refusal(device_name(device), code.co_name, error)
        part = part.tb_next
    return None


def _is_of_run_engine(part: TracebackType) -> bool:
    return part.tb_frame.f_globals.get("__name__") == "bluesky.run_engine"


def device_name(device: Any) -> str:
    """Return the name of a device, or of its class if it has none."""
    try:
        name = device.name
    except BaseException:  # noqa: BLE001 - protects the report from a device whose attributes raise
        name = None
    return name if isinstance(name, str) and name else type(device).__name__
