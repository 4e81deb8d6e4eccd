"""The value of each option, and where it was given.

If an option is given in several places, the command line takes precedence, then the configuration file, then the
environment variable.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Final

from queueserver_process.variables import PREFIX, names_of

from queueserver_standalone.configuration.command_line import parse_words
from queueserver_standalone.configuration.config_file import Entry, read_config, typed
from queueserver_standalone.configuration.old_options import OLD_OPTIONS, Fate, OldOption
from queueserver_standalone.configuration.option import Kind, Option, Value, Words, absolute_path, closest
from queueserver_standalone.configuration.option_table import CONFIG, OPTIONS
from queueserver_standalone.errors import StandaloneError

_SUFFIXES: Final = tuple(name for option in (CONFIG, *OPTIONS) for name in option.variable_names)
_VERY_LIKE: Final = 0.85
#: Variables of bluesky-queueserver's clients, which may run on the same machine.
_OF_OLD_CLIENTS: Final = frozenset(
    f"{PREFIX}ZMQ_{name}" for name in ("CONTROL_ADDRESS", "INFO_ADDRESS", "ENCODING", "PUBLIC_KEY")
)


class Rank(IntEnum):
    """Where a value was given; the highest takes precedence."""

    VARIABLE = 1
    FILE = 2
    COMMAND_LINE = 3


@dataclass(frozen=True, slots=True)
class Said:
    """The value that was given for one option."""

    value: Value
    rank: Rank
    #: How the place is called in sentences.
    name: str


@dataclass(slots=True)
class Choices:
    """The values that were given, by option; options that were not given are missing."""

    said: dict[str, Said] = field(default_factory=dict)
    #: Advice about old options, for the person at the terminal.
    notes: list[str] = field(default_factory=list)
    #: The configuration file or directory.
    config: Path | None = None

    def text(self, option: str) -> str | None:
        """The value of an option that is text."""
        value = self._value(option)
        return None if value is None else str(value)

    def path(self, option: str) -> Path | None:
        """The value of an option that is a path."""
        value = self._value(option)
        return value if isinstance(value, Path) else None

    def number(self, option: str) -> int | None:
        """The value of an option that is a number."""
        value = self._value(option)
        return value if isinstance(value, int) else None

    def words(self, option: str) -> tuple[str, ...]:
        """The value of an option that is a list."""
        value = self._value(option)
        return value if isinstance(value, tuple) else ()

    def is_on(self, option: str, *, default: bool = False) -> bool:
        """The value of an option that is ON or OFF."""
        value = self._value(option)
        return value if isinstance(value, bool) else default

    def _value(self, option: str) -> Value | None:
        said = self.said.get(option)
        return said.value if said is not None else None

    def take(self, option: str, value: Value, rank: Rank, name: str) -> None:
        """Take a value of an option, at the rank of the value before it or at a lower one."""
        before = self.said.get(option)
        if before is None:
            self.said[option] = Said(value, rank, name)
        elif before.rank is rank:
            raise StandaloneError(f"{before.name} and {name} mean the same. Give one of them.")

    def take_old(self, old: OldOption, value: Value, rank: Rank, name: str) -> None:
        """Take the value of an old option. Raises StandaloneError if it is refused."""
        if old.usual is not None and value == old.usual:
            return
        if old.fate is Fate.REFUSED:
            raise StandaloneError(f"{name} {old.advice}.")
        self.notes.append(f"{name} {old.advice}.")
        if old.ours:
            self.take(old.ours, old.values.get(str(value), value), rank, name)


def gather(words: Sequence[str] | None) -> Choices:
    """All values that were given. Raises StandaloneError; ends the process on wrong usage of the command line."""
    choices = Choices()
    given = parse_words(words)
    _take_command_line(choices, given)
    config, named_by = _config(given)
    if config:
        choices.config = _config_path(config, named_by)
        _take_file(choices, choices.config, named_by)
    _take_variables(choices)
    return choices


def _config(given: dict[str, list[str]]) -> tuple[str, str]:
    """The path of the configuration, empty if there is none, and the option or variable that names it."""
    if CONFIG.flag in given:
        return given[CONFIG.flag][0], CONFIG.flag
    name = next((name for name in names_of("CONFIG") if os.environ.get(name)), "")
    return os.environ.get(name, ""), name


def _config_path(text: str, named_by: str) -> Path:
    try:
        return absolute_path(text)
    except ValueError as error:
        raise StandaloneError(f"{named_by} {error}.") from None


def _take_command_line(choices: Choices, given: dict[str, list[str]]) -> None:
    for option in OPTIONS:
        if option.flag in given:
            choices.take(
                option.id, _read_words(option.kind, given[option.flag], option.flag), Rank.COMMAND_LINE, option.flag
            )
    for old in OLD_OPTIONS:
        for flag in old.flags:
            if flag in given:
                choices.take_old(old, _read_words(old.kind, given[flag], flag), Rank.COMMAND_LINE, flag)


def _take_file(choices: Choices, path: Path, named_by: str) -> None:
    ours = {option.path: option for option in OPTIONS}
    olds = {path: old for old in OLD_OPTIONS for path in old.paths}
    for entry in read_config(path, {**ours, **olds}, named_by):
        if entry.path in ours:
            option = ours[entry.path]
            choices.take(option.id, typed(entry, option.kind), Rank.FILE, entry.name)
            if not option.on_command_line:
                _note_readable(choices, entry)
        else:
            old = olds[entry.path]
            choices.take_old(old, typed(entry, old.kind), Rank.FILE, entry.name)


def _note_readable(choices: Choices, entry: Entry) -> None:
    """Warn of a secret in a file that all users may read."""
    if entry.file.stat().st_mode & 0o004:
        choices.notes.append(f"{entry.name} can be read by all users of this machine: chmod o-r {entry.file}.")


def _take_variables(choices: Choices) -> None:
    for option in OPTIONS:
        name = _first_set(option)
        if name and option.id not in choices.said:
            choices.take(option.id, _read(option.kind, os.environ[name], name), Rank.VARIABLE, name)
    for old in OLD_OPTIONS:
        for name in old.variables:
            if os.environ.get(name):
                choices.take_old(old, _read(old.kind, os.environ[name], name), Rank.VARIABLE, name)
    choices.notes += _misspelt_variables()


def _first_set(option: Option) -> str:
    """The variable that sets an option; empty if none does."""
    return next((name for name in _variables_of(option) if os.environ.get(name)), "")


def _variables_of(option: Option) -> list[str]:
    return [name for variable in option.variable_names for name in names_of(variable)]


def _misspelt_variables() -> list[str]:
    """Warnings about unknown variables whose names are very similar to a known one."""
    known = variables() | set(names_of("CONFIG")) | _OF_OLD_CLIENTS
    unknown = [name for name in os.environ if name.startswith(PREFIX) and name not in known]
    near = {name: closest(name.removeprefix(PREFIX), _SUFFIXES, _VERY_LIKE) for name in unknown}
    return [
        f"{name} is not a setting of this server. Did you mean {PREFIX}{meant}?"
        for name, meant in near.items()
        if meant
    ]


def _read_words(kind: Kind, words: Sequence[str], name: str) -> Value:
    """The value of the words behind an option."""
    if not isinstance(kind, Words):
        return _read(kind, words[0], name)
    try:
        return kind.check(words)
    except ValueError as error:
        raise StandaloneError(f"{name} {error}.") from None


def _read(kind: Kind, text: str, name: str) -> Value:
    try:
        return kind.read(text)
    except ValueError as error:
        raise StandaloneError(f"{name} {error}.") from None


def variables() -> frozenset[str]:
    """Every variable that sets an option: the parts get their settings on their command lines instead."""
    ours = {name for option in OPTIONS for name in _variables_of(option)}
    return frozenset(ours | {name for old in OLD_OPTIONS for name in old.variables})
