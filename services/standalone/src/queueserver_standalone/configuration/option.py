"""What an option is: a setting with its names on the command line, in the environment and in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | bool | Path | tuple[str, ...]"
YES: Final = frozenset({"y", "yes", "t", "true", "on", "1"})
NO: Final = frozenset({"n", "no", "f", "false", "off", "0"})
NEVER: Final = "none"
_MOST_DIGITS: Final = 12
_MOST_SECONDS: Final = 10**9
_SHOWN: Final = 40


class Kind:
    """How a value is written: text on the command line and in a variable, typed in the configuration file.

    A wrong value raises ValueError, whose text is a clause that follows the name of the option.
    """

    #: In the usage.
    metavar: str = "TEXT"
    #: How many words follow the option, for argparse.
    words: str | None = None
    #: Words that it can be.
    choices: tuple[str, ...] = ()
    #: The value of the option without a word behind it.
    alone: str | None = None
    #: What the configuration file takes, for the documentation.
    in_file: str = "text"

    def read(self, text: str) -> Value:
        """A value from text."""
        return text

    def check(self, value: object) -> Value:
        """A value from the configuration file."""
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {_shown(value)}: put it in quotes")  # noqa: TRY004 - told to people
        return self.read(value)


class Text(Kind):
    """Any text that is not empty."""

    def __init__(self, metavar: str = "TEXT") -> None:
        self.metavar = metavar

    def read(self, text: str) -> Value:
        """The text itself."""
        if not text:
            raise ValueError("must not be empty")
        return text


class Secret(Text):
    """Text that is never shown, not even when it is wrong."""

    def check(self, value: object) -> Value:
        """The text itself."""
        if not isinstance(value, str):
            raise ValueError("must be text: put it in quotes")  # noqa: TRY004 - told to people
        return self.read(value)


def absolute_path(text: str) -> Path:
    """A path, relative to the current directory; ``~`` is the home directory. Raises ValueError."""
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError(
            f"begins with the home directory of a user that this machine does not have: {text!r}"
        ) from None


class PathTo(Kind):
    """A path, relative to the current directory; ``~`` is the home directory."""

    in_file = "path"

    def __init__(self, metavar: str = "PATH") -> None:
        self.metavar = metavar

    def read(self, text: str) -> Value:
        """The absolute path."""
        if not text:
            raise ValueError("must not be empty")
        return absolute_path(text)


class Count(Kind):
    """A whole number."""

    in_file = "whole number"

    def __init__(self, metavar: str = "N", *, of: str = "", least: int = 0) -> None:
        self.metavar = metavar
        self._wanted = f"must be a whole number{f' of {of}' if of else ''}, {least} or more"
        self._least = least

    def read(self, text: str) -> Value:
        """The number."""
        is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        return self.check(int(text) if is_number else text)

    def check(self, value: object) -> Value:
        """The number."""
        if isinstance(value, bool) or not isinstance(value, int) or not self._least <= value < 10**_MOST_DIGITS:
            raise ValueError(f"{self._wanted}, not {_shown(value)}")
        return value


class Seconds(Kind):
    """A time, or "none" for ever; the value is text."""

    metavar = "SECONDS"
    in_file = "number of seconds, or none"

    def read(self, text: str) -> Value:
        """The number as text, or "none"."""
        if text.strip().lower() == NEVER:
            return NEVER
        try:
            usable = 0 < float(text) <= _MOST_SECONDS
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(f"must be a number of seconds, or {NEVER}, not {_shown(text)}")
        return text

    def check(self, value: object) -> Value:
        """The number as text, or "none"."""
        return self.read("true or false" if isinstance(value, bool) else str(value))


class Choice(Kind):
    """One of some words, in capitals or not."""

    def __init__(self, *choices: str) -> None:
        self.choices = choices
        self.metavar = "|".join(choices)
        self.in_file = " / ".join(choices)

    def read(self, text: str) -> Value:
        """The word as it is written in the table."""
        for word in self.choices:
            if word.lower() == text.lower():
                return word
        raise ValueError(f"must be {' or '.join(self.choices)}, not {_shown(text)}")

    def check(self, value: object) -> Value:
        """The word as it is written in the table."""
        return self.read(value if isinstance(value, str) else str(value))


class OnOff(Kind):
    """Yes or no; ON and OFF on the command line, any usual word in a variable."""

    metavar = "ON|OFF"
    choices = ("ON", "OFF")
    in_file = "true / false"

    def read(self, text: str) -> Value:
        """Whether it is on."""
        word = text.strip().lower()
        if word not in YES | NO:
            raise ValueError(f"must be ON or OFF, not {_shown(text)}")
        return word in YES

    def check(self, value: object) -> Value:
        """Whether it is on."""
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {_shown(value)}")  # noqa: TRY004 - told to people
        return value


class Switch(OnOff):
    """As OnOff, and without a word it means ON."""

    metavar = "ON|OFF"
    words = "?"
    alone = "ON"


class Words(Kind):
    """Several words; in a variable with colons between them."""

    words = "+"
    in_file = "list of texts"

    def __init__(self, metavar: str) -> None:
        self.metavar = metavar

    def read(self, text: str) -> Value:
        """The words between colons."""
        return tuple(word for word in text.split(":") if word)

    def check(self, value: object) -> Value:
        """The words of a list."""
        if not isinstance(value, (list, tuple)) or not value or not all(isinstance(word, str) for word in value):
            raise ValueError(f"must be a list of texts, not {_shown(value)}")
        return tuple(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting."""

    #: Its name in the code, from which the other names are made unless they are given.
    id: str
    #: Section of the configuration file.
    section: str
    kind: Kind
    #: What it is for, for the help and the documentation; without a full stop.
    help: str
    #: Its default, in words.
    default: str = ""
    #: Heading in the help under which it stands; empty for the first one.
    heading: str = ""
    #: In the section of the configuration file.
    key: str = ""
    #: Without a prefix.
    variable: str = ""
    #: Whether its id names a variable too.
    variable_by_id: bool = True
    #: Whether it is an option of the command line, which other users can read.
    on_command_line: bool = True
    #: Options that stand for one of its values.
    short_forms: Mapping[str, str] = field(default_factory=dict)

    @property
    def flag(self) -> str:
        """The option on the command line."""
        return f"--{self.id.replace('_', '-')}"

    @property
    def variable_names(self) -> tuple[str, ...]:
        """Its environment variables without a prefix, the one that counts first."""
        return tuple(filter(None, (self.variable, self.id.upper() if self.variable_by_id else "")))

    @property
    def path(self) -> str:
        """Its place in the configuration file."""
        return f"{self.section}.{self.key or self.id}"


def closest(word: str, words: Iterable[str], likeness: float = 0.6) -> str:
    """The most similar of some words; empty if none is similar."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only when a word is wrong

    return next(iter(get_close_matches(word, list(words), 1, likeness)), "")
