"""Questions cut off by a pause or a suspension, asked again: a plan never continues with an answer that no user gave.

It wraps everything that sends messages to the RunEngine: the plan, what its preprocessors made of it, and the plans of
suspenders.
"""

from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any

from bluesky.utils import ensure_generator


def asking_again(plan: Iterable[Any], asks: Callable[[], bool]) -> Generator[Any, Any, Any]:
    """Make a plan that repeats a question until it has an answer, and otherwise is as the given one.

    Parameters
    ----------
    plan
        The messages.
    asks
        Whether questions are answered with a text, so that one without was cut off.

    """
    messages: Any = ensure_generator(plan)  # type: ignore[no-untyped-call] # bluesky does not tell its types
    step = partial(messages.send, None)
    while True:
        try:
            message = step()
        except StopIteration as end:
            return end.value
        try:
            response = yield message
            while response is None and getattr(message, "command", None) == "input" and asks():
                response = yield message
        except GeneratorExit:
            messages.close()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the RunEngine throws is for the plan
            step = partial(messages.throw, error)
        else:
            step = partial(messages.send, response)
