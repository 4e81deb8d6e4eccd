"""What of a device is connected, read from the device libraries' objects, which are foreign code.

Guarantees: reading never raises, makes no component of a device and sends nothing. It may be done in any thread.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

MAX_NAME: Final = 100
"""Characters of the name of a device, a signal or a PV."""


@dataclass(frozen=True, slots=True)
class Waited:
    """A device or signal for which something waits."""

    #: Of the device, or of a single signal with its PV.
    name: str
    #: How many signals it has that are waited for.
    signals: int
    #: Those that are not connected, each with its PV.
    missing: tuple[str, ...]

    @property
    def is_signal(self) -> bool:
        """Whether it is a single signal."""
        return self.signals == 1 and self.missing == (self.name,)


Look = Callable[[], Waited]


def device_view(device: Any) -> Waited:
    """Look at a device of ophyd: at those of its signals that have been made."""
    signals = 0
    missing = []
    with suppress(BaseException):  # protects the wait: a device may be any code
        for walk in device.walk_signals(include_lazy=False):
            signals += 1
            if not walk.item.connected:
                missing.append(signal_label(walk.item, _pvs(walk.item)))
    return Waited(name_of(device), signals, tuple(missing))


def signal_view(signal: Any, pvs: Iterable[Any]) -> Waited:
    """Look at a signal of ophyd that waits for these PVs of the control layer."""
    return single(signal_label(signal, pvs))


def single(label: str) -> Waited:
    """Make the view of a signal that is not connected."""
    return Waited(label, 1, (label,))


def signal_label(signal: Any, pvs: Iterable[Any]) -> str:
    """Name a signal with those of its PVs that are not connected, or with all if that is not known."""
    names = dict.fromkeys(_not_connected(pvs)) or dict.fromkeys(_pv_names(signal))
    return _label(signal, ", ".join(names))


def source_label(signal: Any) -> str:
    """Name a signal of ophyd-async with its source, for example "stage-x (ca://XF:28:m1.RBV)"."""
    source = ""
    with suppress(BaseException):  # protects the wait: it belongs to the signal's backend, which may be any code
        source = _text(signal.source)
    return _label(signal, source)


def pv_name(pv: Any) -> str:
    """Read the name of a PV of pyepics."""
    with suppress(BaseException):  # protects the wait: it may be of a class of the startup code
        return _text(pv.pvname) or "PV"
    return "PV"


def name_of(thing: Any) -> str:
    """Read the name of a device or signal; its class name if it has none."""
    with suppress(BaseException):  # protects the wait: names may be any code
        if name := _text(thing.name):
            return name
    return type(thing).__name__[:MAX_NAME]


def _label(signal: Any, source: str) -> str:
    name = name_of(signal)
    return f"{name} ({source})" if source and source != name else name


def _pvs(signal: Any) -> list[Any]:
    # Only these know which of a signal's two PVs it is.
    found = (getattr(signal, name, None) for name in ("_read_pv", "_write_pv"))
    return [pv for pv in found if pv is not None]


def _not_connected(pvs: Iterable[Any]) -> Iterator[str]:
    with suppress(BaseException):  # protects the wait: a control layer may be any code
        for pv in pvs:
            if not pv.connected:
                yield _text(pv.pvname)


def _pv_names(signal: Any) -> Iterator[str]:
    for attribute in ("pvname", "setpoint_pvname"):
        with suppress(BaseException):  # protects the wait: a signal may be any code
            if name := _text(getattr(signal, attribute, None)):
                yield name


def _text(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())[:MAX_NAME]
