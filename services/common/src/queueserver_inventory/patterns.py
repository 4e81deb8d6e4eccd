"""Names and patterns that select plans, devices and functions, in permissions and in annotations of plans.

The language is described in the contract (permissions.proto). A pattern decides about one name at a time,
so no tree of devices has to be expanded to check one of them. Whether such a plan or device
exists is not checked. What can't be a pattern is refused with a sentence when it is read, never when it is used.
Parsed patterns are cached: permissions are read when they are checked, and once more for each group that uses them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from queueserver_inventory.regular_expressions import Expression, ExpressionError, compile_expression

#: Bounds of one text, in characters and in parts: far more than any tree of devices is deep.
LONGEST_TEXT = 1_000
MOST_PARTS = 32
#: More than permissions can have.
_MOST_REMEMBERED = 32_768
_LONGEST_SHOWN = 80
_COMPONENT = re.compile(r"\w+\Z")
_DEPTH = re.compile(r"depth=(?P<levels>[0-9]+)\Z")


class PatternError(ValueError):
    """Neither a name nor a pattern; the message is one sentence that says what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Traits:
    """Which of bluesky's protocols a device or component follows."""

    is_readable: bool = False
    is_movable: bool = False
    is_flyable: bool = False


_KINDS: dict[str, Callable[[Traits], bool]] = {
    "__READABLE__": lambda traits: traits.is_readable,
    "__FLYABLE__": lambda traits: traits.is_flyable,
    "__DETECTOR__": lambda traits: traits.is_readable and not traits.is_movable,
    "__MOTOR__": lambda traits: traits.is_readable and traits.is_movable,
}


@dataclass(frozen=True, slots=True)
class _Level:
    """What a pattern requires of the name of one level, and whether it selects there or only continues below."""

    expression: Expression
    selects: bool


@dataclass(frozen=True, slots=True)
class DevicePattern:
    """Selects devices and components of devices by their path: the names of the levels from the device downwards."""

    #: As it was written, without spaces.
    text: str
    _name: tuple[str, ...] = ()
    _kind: Callable[[Traits], bool] | None = None
    _levels: tuple[_Level, ...] = ()
    #: Searched in what remains of the dotted name below the levels.
    _rest: Expression | None = None
    _depth: int | None = None

    @property
    def is_name(self) -> bool:
        """Whether it is the name of one device or component: ``text`` then is that name."""
        return bool(self._name)

    def concerns(self, device: str) -> bool:
        """Whether it could select that device or anything below it, as far as the device's own name tells."""
        if self._name:
            return self._name[0] == device
        return not self._levels or bool(self._levels[0].expression(device))

    def selects(self, path: Sequence[str], traits: Traits) -> bool:
        """Whether the device or component at that path is selected itself."""
        if self._name:
            return tuple(path) == self._name
        if self._kind is not None and not self._kind(traits):
            return False
        for level, name in zip(self._levels, path, strict=False):
            if not level.expression(name):
                return False
        below = len(path) - len(self._levels)
        if below <= 0:
            return bool(path) and self._levels[len(path) - 1].selects
        if self._rest is None or (self._depth is not None and below > self._depth):
            return False
        return bool(self._rest(".".join(path[len(self._levels) :])))


@dataclass(frozen=True, slots=True)
class NamePattern:
    """Selects plans or functions by name."""

    #: As it was written, without spaces.
    text: str
    _expression: Expression | None = None

    @property
    def is_name(self) -> bool:
        """Whether it is one name: ``text`` then is that name."""
        return self._expression is None

    def selects(self, name: str) -> bool:
        """Whether the plan or function of that name is selected."""
        return name == self.text if self._expression is None else bool(self._expression(name))


@lru_cache(maxsize=_MOST_REMEMBERED)
def device_pattern(text: str) -> DevicePattern:
    """Read a name or pattern of devices. Raises PatternError."""
    text = _without_spaces(text)
    if ":" not in text:
        return DevicePattern(text, _name=_device_name(text))
    kind, *parts = text.split(":")
    if kind and kind not in _KINDS:
        raise _wrong(
            text, f"{_shown(kind)} before the first ':' is not a kind of device, those are {', '.join(_KINDS)}"
        )
    parts, rest, depth = _split_rest(text, parts)
    levels = [_level(text, part, last=index == len(parts) - 1 and not rest) for index, part in enumerate(parts)]
    return DevicePattern(
        text,
        _kind=_KINDS[kind] if kind else None,
        _levels=tuple(levels),
        _rest=_expression(text, rest[1:]) if rest else None,
        _depth=depth,
    )


@lru_cache(maxsize=_MOST_REMEMBERED)
def name_pattern(text: str, *, depth_tolerated: bool = False) -> NamePattern:
    """Read a name or pattern of plans or functions. Raises PatternError.

    With ``depth_tolerated`` a depth may follow a part with "?", as it does in permissions that people already have;
    it means nothing, because plans and functions have no components.
    """
    text = _without_spaces(text)
    if ":" not in text:
        return NamePattern(_plain_name(text))
    kind, *parts = text.split(":")
    if kind:
        raise _wrong(text, f"{_shown(kind)} stands before the first ':', but plans and functions have no kinds")
    parts, rest, depth = _split_rest(text, parts)
    if depth is not None and not depth_tolerated:
        raise _wrong(text, "plans have no components, so leave out the depth")
    if len(parts) + bool(rest) > 1:
        raise _wrong(text, "plans and functions have no components, so write one part only")
    if rest:
        return NamePattern(text, _expression(text, rest[1:]))
    return NamePattern(text, _level(text, parts[0], last=True).expression)


def _without_spaces(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise PatternError(f"A name or pattern has at most {LONGEST_TEXT:,} characters; this one has {len(text):,}.")
    text = "".join(text.split())
    if not text:
        raise PatternError("The name is empty: write a name, or a pattern with ':' such as ':^det'.")
    return text


def _device_name(text: str) -> tuple[str, ...]:
    first, *components = text.split(".")
    if not first.isidentifier() or not all(_COMPONENT.match(component) for component in components):
        raise _no_name(text, "letters, digits and '_' and does not begin with a digit, components follow after dots")
    return (first, *components)


def _plain_name(text: str) -> str:
    if not text.isidentifier():
        raise _no_name(text, "letters, digits and '_' and does not begin with a digit")
    return text


def _no_name(text: str, rule: str) -> PatternError:
    return PatternError(f"{_shown(text)} is not a name: a name has {rule}; a pattern has ':', as in ':^det'.")


def _split_rest(text: str, parts: list[str]) -> tuple[list[str], str, int | None]:
    """Parts for one level each; the part with "?" or empty text; the depth, if any."""
    if len(parts) > MOST_PARTS:
        raise PatternError(f"A pattern has at most {MOST_PARTS} parts; {_shown(text)} has {len(parts)}.")
    at = next((index for index, part in enumerate(parts) if part.startswith("?")), None)
    if at is None:
        return parts, "", None
    rest, *after = parts[at:]
    if not after:
        return parts[:at], rest, None
    depth = _DEPTH.match(after[0])
    if len(after) > 1 or depth is None:
        raise _wrong(text, f"after the part {_shown(rest)} there can be only a depth, such as ':depth=2'")
    if int(depth["levels"]) < 1:
        raise _wrong(text, "the depth is a number of levels, at least 1")
    return parts[:at], rest, int(depth["levels"])


def _level(text: str, part: str, *, last: bool) -> _Level:
    selects = last or not part.startswith("-")
    return _Level(_expression(text, part[1:] if part[:1] in ("+", "-") else part), selects)


def _expression(text: str, part: str) -> Expression:
    try:
        return compile_expression(part)
    except ExpressionError as error:
        if not part:
            raise _wrong(text, "a part between colons is empty, write '.*' for any name") from error
        raise _wrong(text, f"the regular expression {_shown(part)} can't be used: {error}") from error


def _wrong(text: str, why: str) -> PatternError:
    return PatternError(f"{_shown(text)} is not a pattern: {why}.")


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")
