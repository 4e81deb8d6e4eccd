"""What bluesky's own plans take where their signatures say less: as a decorator would say it.

Axes are motors, and objects are devices, so their names must be converted to them.
"""

from collections.abc import Mapping
from typing import Any, Final

_AXES: Final = {"annotation": "collections.abc.Iterable[__MOVABLE__] | bool | None"}
_DEVICES: Final = {"annotation": "collections.abc.Iterable[__DEVICE__]"}
_SAID: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("bluesky.plans", "snake_axes"): _AXES,
    ("bluesky.plan_stubs", "objs"): _DEVICES,
}
_BY_POSITION: Final = "VAR_POSITIONAL"


def said_of(plan: Any, parameters: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what is known about parameters of a plan; nothing for a plan that is not bluesky's."""
    module = getattr(plan, "__module__", "")
    known = {name: _SAID.get((module, name)) for name in parameters}
    return {name: said for name, said in known.items() if said and parameters[name].kind.name != _BY_POSITION}
