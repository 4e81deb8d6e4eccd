"""Failures of a plan that got a text where it needs a device: explained by that text, and by the intended device.

A plan that accepts anything gets a misspelt name as text, and fails somewhere inside with "'str' object has
no attribute 'name'". Guarantees: only texts that the caller gave are named; any other error stays as it is.
"""

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import bluesky

from queueserver_environment.messages.items import Item
from queueserver_environment.plans.failures import error_text, shorten
from queueserver_environment.plans.names import Names

_ERRORS: Final = (AttributeError, AssertionError, TypeError, KeyError, ValueError)
_BLUESKY: Final = str(Path(bluesky.__file__).parent)
_MOST_TEXTS: Final = 10_000
_SHOWN: Final = 60


class MisnamedDeviceError(TypeError):
    """A plan needs a device and got a text; the message names both."""


def explained(error: BaseException, item: Item, names: Names) -> MisnamedDeviceError | None:
    """Explain an error of a plan by a text among its arguments; None if it has another cause.

    Parameters
    ----------
    error
        What the plan raised.
    item
        The call, as the caller gave it.
    names
        Where names are looked up.

    """
    if not isinstance(error, _ERRORS):
        return None
    about = error_text(error)
    for text in _first(_texts_in([item.args, item.kwargs])):
        if _is_used_as_device(text, error, about):
            return MisnamedDeviceError(f"{_sentence(text, names)} ({type(error).__name__}: {about})")
        if repr(text) in about and _is_of_bluesky(error) and not _is_known(text, names):
            near = names.devices_like(text)
            if near:
                return MisnamedDeviceError(f"{_unknown(text, near)} ({type(error).__name__}: {about})")
    return None


def _is_of_bluesky(error: BaseException) -> bool:
    """Tell whether an error was raised by bluesky: an author's own message about a text stays as it is."""
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].startswith(_BLUESKY)


def _first(texts: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(text for text, _ in zip(texts, range(_MOST_TEXTS), strict=False)))


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(part)


def _is_used_as_device(text: str, error: BaseException, about: str) -> bool:
    if isinstance(error, AttributeError):
        user = getattr(error, "obj", None)
        return type(user) is str and user == text
    # As bluesky says it when something lacks the methods of a device.
    return isinstance(error, AssertionError) and about.startswith(f"{text} does not implement all ")


def _sentence(text: str, names: Names) -> str:
    if _is_known(text, names):
        return (
            f"{_shown(text)} reached the plan as text, because the type of its parameter keeps texts; "
            "give the parameter the type of a device."
        )
    return _unknown(text, names.devices_like(text))


def _unknown(text: str, near: list[str]) -> str:
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "name an existing device."
    return f"{_shown(text)} is not a device; {hint}"


def _is_known(text: str, names: Names) -> bool:
    try:
        return names.device(text) is not None
    except BaseException:  # noqa: BLE001 - protects a message about one name from the broken code of a device
        return True


def _shown(text: str) -> str:
    return repr(shorten(text, _SHOWN))
