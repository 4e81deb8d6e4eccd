"""Metadata of an item: names that the RunEngine needs for itself, so that nothing else can use them."""

import inspect
from typing import Any, Final

_SET_BY_RUN_ENGINE: Final = frozenset({"uid", "time"})
_REST: Final = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)


def reserved_names(engine: Any) -> frozenset[str]:
    """List the names that metadata can't have: parameters of the call of a RunEngine, and keys that it sets itself.

    Parameters
    ----------
    engine
        The RunEngine; None for the one that bluesky has.

    """
    from bluesky import RunEngine  # noqa: PLC0415 - imported with the startup code

    call = type(engine).__call__ if engine is not None else RunEngine.__call__
    parameters = inspect.signature(call).parameters.values()
    return _SET_BY_RUN_ENGINE | {parameter.name for parameter in parameters if parameter.kind not in _REST}
