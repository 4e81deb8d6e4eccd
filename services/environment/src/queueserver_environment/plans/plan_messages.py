"""What a plan yields: messages, or an error that names the plan's own line and what to write there.

The usual mistake is a forgotten `from`: `yield count([det])` hands the RunEngine a plan instead of its messages.
Guarantees: iteration yields messages only. Anything else is raised in the plan at that place, so that the plan
cleans up as after any other error; that also holds for what one of bluesky's preprocessors fails on, except that
the plan inside the preprocessor does not get it.
"""

import collections.abc
import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from types import FrameType, FunctionType, MethodType
from typing import Any, Final

import bluesky
from bluesky import Msg

from queueserver_environment.plans.failures import is_own_frame, shorten

_PARTS: Final = ("command", "obj", "args", "kwargs", "run")
_BLUESKY: Final = str(Path(bluesky.__file__).parent)
_YIELD: Final = re.compile(r"\byield\b(?!\s+from\b)\s*(?P<value>.*)")
_SHOWN: Final = 120
_MOST_IN_A_ROW: Final = 10
"""How often a plan may respond to such an error with the same mistake, before it is ended."""
_MOST_LEVELS: Final = 1_000
_NOTHING_ELSE: Final = (
    "a plan yields nothing but messages: write `yield from` for a plan, and leave the `yield` out else."
)

Explain = Callable[[BaseException], Exception | None]
"""Makes a better error of one that a plan has raised, or nothing."""


class NoMessageError(TypeError):
    """A plan yields, or is, something other than messages; the text says where, and what to write."""


def messages_of(made: Any, explain: Explain) -> Generator[Any, Any, Any]:
    """Go through what a plan's function has made, as `yield from` does.

    Raises
    ------
    NoMessageError
        It makes no messages. Later, when iterating: the plan yields something else, and does not catch that error.

    """
    messages = _messages(_generator_of(made), explain)
    name = getattr(made, "__name__", "")
    # The RunEngine writes the generator's name into the start document as the plan's name.
    setattr(messages, "__name__", name if isinstance(name, str) and name else "plan")  # noqa: B010 - generators have it, their type does not tell
    return messages


def is_message(value: object) -> bool:
    """Tell whether the RunEngine can take something as a message."""
    try:
        return type(value) is Msg or all(hasattr(value, part) for part in _PARTS)
    except BaseException:  # noqa: BLE001 - protects the plan from an object whose attributes raise
        return False


def never_runs(name: str, file: str, line: int) -> str:
    """Report a plan that was created in some line and dropped, in one sentence."""
    text = linecache.getline(file, line).strip()
    call = re.search(rf"(?:\w+\.)*{re.escape(name)}\(.*", text)
    instead = f"{text[: call.start()]}yield from {call[0]}" if call and "yield" not in text else "yield from …"
    return (
        f"{Path(file).name}, line {line}, makes a plan ({name}) that never runs; write `{shorten(instead, _SHOWN)}`, "
        "or leave it out."
    )


def _generator_of(made: Any) -> Any:
    if is_message(made):
        return _relay([made])
    try:
        found = iter(made)
    except TypeError as error:
        raise NoMessageError(
            f"the plan's function has returned {_what(made)} and no messages; {_instead_of_returning(made)}"
        ) from error
    return found if isinstance(found, Generator) else _relay(found)


def _relay(messages: Any) -> Generator[Any, Any, Any]:
    return (yield from messages)


def _messages(plan: Any, explain: Explain) -> Generator[Any, Any, Any]:
    step, mistakes = partial(plan.send, None), 0
    while True:
        try:
            message = step()
        except StopIteration as end:
            return end.value
        except Exception as error:
            explanation = None if isinstance(error, NoMessageError) else _of_preprocessor(error) or explain(error)
            if explanation is None:
                raise
            # It says all that the error says; its author needs to see where that was raised.
            raise explanation.with_traceback(error.__traceback__) from None
        if is_message(message):
            mistakes = 0
            try:
                response = yield message
            except GeneratorExit:
                plan.close()
                raise
            except BaseException as error:  # noqa: BLE001 - whatever the RunEngine throws is for the plan
                step = partial(plan.throw, error)
            else:
                step = partial(plan.send, response)
            continue
        mistakes += 1
        mistake = NoMessageError(_sentence(message, plan))
        if mistakes > _MOST_IN_A_ROW:
            plan.close()
            raise mistake
        step = partial(plan.throw, mistake)


def _of_preprocessor(error: BaseException) -> NoMessageError | None:
    """Explain an error of bluesky's preprocessors, which look at what a plan yields before any other code does."""
    if not isinstance(error, (AttributeError, TypeError)):
        return None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith(_BLUESKY) and "msg" in frame.f_locals:
            message, inner = frame.f_locals["msg"], _inner_of(frame)
            if inner is not None and inspect.isgenerator(inner) and not is_message(message):
                return NoMessageError(_sentence(message, inner))
    return None


def _inner_of(frame: FrameType) -> Any:
    """Find the plan that one of bluesky's preprocessors goes through by hand."""
    stack = frame.f_locals.get("plan_stack")
    return stack[-1] if stack and isinstance(stack, collections.abc.Sequence) else frame.f_locals.get("plan")


def _sentence(value: object, plan: object) -> str:
    file, line = _place(plan)
    text = linecache.getline(file, line).strip() if file else ""
    if text.count("(") > text.count(")"):
        text += "…"
    where = f"{Path(file).name}, line {line}, " if file else "The plan "
    try:
        what, advice = _what(value), _advice(value, text)
    except BaseException:  # noqa: BLE001 - protects the message from an object whose attributes raise
        what, advice = f"an object of type {type(value).__name__}", _NOTHING_ELSE
    shown = f" (`{shorten(text, _SHOWN)}`)" if "yield" in text else ""
    return f"{where}yields {what} and no message{shown}; {advice}"


def _with_from(text: str) -> str:
    found = _YIELD.search(text)
    return f"{text[: found.start()]}yield from {found['value']}" if found else "yield from …"


def _place(plan: object) -> tuple[str, int]:
    """Find where a plan is: the innermost place that is neither bluesky's nor ours, else the innermost."""
    places = list(_places(plan))
    users = [place for place in places if not place[0].startswith(_BLUESKY) and not is_own_frame(place[0])]
    return (users or places or [("", 0)])[-1]


def _places(plan: object) -> Iterator[tuple[str, int]]:
    for _ in range(_MOST_LEVELS):
        plan = getattr(plan, "_iter", plan) if not inspect.isgenerator(plan) else plan
        if not inspect.isgenerator(plan) or plan.gi_frame is None:
            return
        frame = plan.gi_frame
        yield frame.f_code.co_filename, frame.f_lineno
        inner = plan.gi_yieldfrom
        if inner is None and frame.f_code.co_filename.startswith(_BLUESKY):
            inner = _inner_of(frame)
        plan = inner


def _what(value: object) -> str:
    if value is None:
        return "None"
    if _is_plan(value):
        name = getattr(value, "__name__", "") or getattr(getattr(value, "_iter", None), "__name__", "")
        return f"a plan ({shorten(str(name), _SHOWN)})" if name else "a plan"
    if inspect.iscoroutine(value):
        return "a coroutine"
    if isinstance(value, (FunctionType, MethodType)):
        return f"the function {shorten(value.__name__, _SHOWN)}"
    return f"an object of type {type(value).__name__}"


def _is_plan(value: object) -> bool:
    return inspect.isgenerator(value) or (type(value).__name__ == "Plan" and type(value).__module__ == "bluesky.utils")


def _has_messages(value: object) -> bool:
    if not isinstance(value, (list, tuple, set, frozenset)) or not value:
        return _is_plan(value)
    return all(map(is_message, value))


def _advice(value: object, text: str) -> str:
    if value is None:
        return "leave the `yield` out, or write `yield from bps.null()` for a message that does nothing."
    is_list_of_plans = isinstance(value, (list, tuple)) and all(map(_is_plan, value))
    if is_list_of_plans or (_is_plan(value) and "yield from" in text):
        return "write a loop that goes through the plans, with `yield from` for each of them."
    if _has_messages(value):
        return f"write `{shorten(_with_from(text), _SHOWN)}`."
    if hasattr(value, "add_callback") and hasattr(value, "done"):
        return "it is a movement that has begun already: use a plan stub instead, such as `yield from bps.mv(…)`."
    if inspect.isawaitable(value):
        return "use a plan stub instead, or `yield from bps.wait_for([…])` with a function that returns it."
    if isinstance(value, (FunctionType, MethodType)):
        return "if it is a plan, call it and write `yield from`; else leave the `yield` out."
    return _NOTHING_ELSE


def _instead_of_returning(made: object) -> str:
    if inspect.iscoroutine(made) or inspect.isasyncgen(made):
        return "a plan can't be an async function: write `def`, not `async def`, and `yield from`, not `await`."
    return "let it contain `yield from …`, or return a plan that it has called."
