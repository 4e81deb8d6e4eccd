"""The configuration file: YAML with a section for each part of the server. Or a directory of such files.

Guarantees: nothing in it is ignored silently. A key that is unknown, repeated or in the wrong section and a value of
the wrong type are reported with their line, and a misspelt key with the one that was probably meant.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from queueserver_standalone.configuration.option import Kind, Secret, Value, closest
from queueserver_standalone.errors import StandaloneError

#: Far more than all options need; a longer file would take long to read.
_MOST_BYTES: Final = 100_000
#: How the files of a directory end that are read.
_ENDINGS: Final = (".yml", ".yaml")
#: PyYAML's message about a text behind "*" or "!", and the text, which may be part of a secret.
_NAMES_TEXT: Final = re.compile(r"(undefined (alias|tag handle)) .*", re.DOTALL)
_WORD: Final = re.compile(r"[\w.-]+")
_REFERENCE: Final = re.compile(r"\$(\$\{|\{(\w*)\})")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key and its value, as written."""

    #: section.key
    path: str
    value: object
    #: The file, and the line in it.
    file: Path
    line: int

    @property
    def place(self) -> str:
        """Its place, in words."""
        return f"{self.file}, line {self.line}"

    @property
    def name(self) -> str:
        """How it is called in sentences."""
        return f"{self.path} ({self.place})"


def read_config(path: Path, known: Mapping[str, object], named_by: str) -> list[Entry]:
    """The entries of a file, or of the files of a directory. Raises StandaloneError.

    Args:
        path: The file or directory.
        known: All paths that there are, as section.key.
        named_by: The option or variable that names the path, for sentences.
    """
    entries: list[Entry] = []
    owners: dict[str, Path] = {}
    sections = sorted({key.partition(".")[0] for key in known})
    for file in _files_of(path, named_by):
        for section, line, node in _sections_of(file, named_by):
            if section not in sections:
                raise StandaloneError(_unknown_section(section, f"{file}, line {line}", sections, known))
            if section in owners:
                raise StandaloneError(
                    f"The section {section} is in {owners[section]} and once more in {file}, line {line}. Join the two."
                )
            owners[section] = file
            entries += _entries_of(file, section, node, known)
    return entries


def typed(entry: Entry, kind: Kind) -> Value:
    """The value of an entry, with the variables in it replaced. Raises StandaloneError."""
    try:
        value = entry.value
        _refuse_unusable(value if isinstance(value, list) else [value])
        if isinstance(value, str):
            expanded = _expanded(value, kind)
            # Text with a variable in it may be meant for a number.
            return kind.read(expanded) if expanded != value else kind.check(value)
        if isinstance(value, list):
            value = [_expanded(one, kind) if isinstance(one, str) else one for one in value]
        return kind.check(value)
    except ValueError as error:
        raise StandaloneError(f"{entry.name} {error}.") from None


def _files_of(path: Path, named_by: str) -> list[Path]:
    if not path.is_dir():
        return [path]
    try:
        files = sorted(file for file in path.iterdir() if file.is_file() and _is_read(file.name))
    except OSError as error:
        raise StandaloneError(f"The directory {path} can't be read: {error.strerror}. Correct {named_by}.") from error
    if not files:
        raise StandaloneError(
            f"There is no configuration file (*.yml or *.yaml) in the directory {path}. Correct {named_by}."
        )
    return files


def _is_read(name: str) -> bool:
    """Whether a file of a directory belongs to the configuration. Editors leave hidden files behind."""
    return not name.startswith(".") and name.lower().endswith(_ENDINGS)


def _sections_of(file: Path, named_by: str) -> Iterator[tuple[str, int, Any]]:
    """Name, line and content of each section."""
    import yaml  # noqa: PLC0415 - it takes time and memory, and most servers have no configuration file

    try:
        with file.open("rb") as source:
            text = source.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise StandaloneError(
                f"{file} has more than {_MOST_BYTES} bytes, so it is not a configuration file. Correct {named_by}."
            )
        root = yaml.SafeLoader(text).get_single_node()
    except OSError as error:
        raise StandaloneError(f"The file {file} can't be read: {error.strerror}. Correct {named_by}.") from error
    except RecursionError:
        sentence = f"{file} is nested too deeply, so it is not a configuration file. Correct {named_by}."
        raise StandaloneError(sentence) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StandaloneError(f"{file} is not YAML: {_problem_in(error)}. Correct it, or correct {named_by}.") from None
    if root is not None:
        for key, node in _pairs(root, file, "sections, as in 'network:'"):
            yield key.value, key.start_mark.line + 1, node


def _problem_in(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    problem = _NAMES_TEXT.sub(r"\1 (put text that begins with * or ! in quotes)", str(problem)) if problem else None
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem or "it is not text in UTF-8")


def _pairs(node: Any, file: Path, what: str) -> Iterator[tuple[Any, Any]]:
    """Keys and values of a mapping, each key once."""
    if getattr(node, "id", "") != "mapping":
        raise StandaloneError(f"{file}, line {node.start_mark.line + 1}: here must be {what}. Correct it.")
    seen: set[str] = set()
    for key, value in node.value:
        if key.id != "scalar" or key.value in seen:
            place = f"{file}, line {key.start_mark.line + 1}"
            raise StandaloneError(
                f"{place}: {key.value!r} is there twice. Keep one of them."
                if key.id == "scalar"
                else f"{place}: a key must be a word. Correct it."
            )
        _refuse_joined(key, f"{file}, line {key.start_mark.line + 1}")
        seen.add(key.value)
        yield key, value


def _refuse_joined(key: Any, place: str) -> None:
    """Refuse a key that has its value joined to it, without showing the value: it may be a secret."""
    word = _WORD.match(key.value)
    if word is None:
        raise StandaloneError(f"{place}: a key must be a word. Correct it.")
    if word[0] != key.value:
        raise StandaloneError(
            f"{place}: behind {word[0][:80]!r} must be a colon and a space, and then its value. Correct it."
        )


def _entries_of(file: Path, section: str, node: Any, known: Mapping[str, object]) -> Iterator[Entry]:
    if _is_empty(node):
        return
    for key, value in _pairs(node, file, f"keys of the section {section}"):
        entry = Entry(f"{section}.{key.value}", _value_of(value), file, key.start_mark.line + 1)
        if entry.path not in known:
            raise StandaloneError(_unknown_key(section, key.value, entry.place, known, in_braces=bool(node.flow_style)))
        if not _is_empty(value):
            yield entry


def _is_empty(node: Any) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")


def _value_of(node: Any) -> object:
    """The value in Python. A mapping, which no key takes, becomes an empty one, which is refused later by its type."""
    import yaml  # noqa: PLC0415 - see above

    if node.id == "mapping" or (node.id == "sequence" and any(one.id != "scalar" for one in node.value)):
        return {}
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, LookupError, AttributeError):
        # With a tag that does not fit it, PyYAML raises any of them.
        return node.value


def _refuse_unusable(values: list[Any]) -> None:
    """Refuse text that no command line, variable or path can have. Raises ValueError."""
    for text in values:
        if isinstance(text, str) and ("\0" in text or text.encode(errors="replace").decode() != text):
            raise ValueError("must not have the character U+0000, nor half of a surrogate pair: leave it out")


def _expanded(text: str, kind: Kind) -> str:
    """Text with ``${NAME}`` replaced by the variable; ``$${`` stands for ``${``."""

    def value_of(found: re.Match[str]) -> str:
        if found[1] == "${":
            return "${"
        if found[2] not in os.environ:
            # The name of the variable may be the secret itself.
            name = "a variable" if isinstance(kind, Secret) else f"the variable {found[2] or '${}'}"
            raise ValueError(f"names {name}, which is not set: set it, or write $${{ for ${{")
        return os.environ[found[2]]

    return _REFERENCE.sub(value_of, text)


def _unknown_section(name: str, place: str, sections: list[str], known: Mapping[str, object]) -> str:
    homes = [path for path in known if path.partition(".")[2] == name]
    near = closest(name, sections)
    if homes:
        advice = f"The key {name} belongs in the section {homes[0].partition('.')[0]}."
    else:
        advice = f"Did you mean {near}?" if near else f"There are {', '.join(sections)}."
    return f"{place}: there is no section {name[:80]!r}. {advice}"


def _unknown_key(section: str, name: str, place: str, known: Mapping[str, object], *, in_braces: bool) -> str:
    homes = [path.partition(".")[0] for path in known if path.partition(".")[2] == name]
    near = closest(name, [path.partition(".")[2] for path in known if path.startswith(f"{section}.")])
    if homes:
        advice = f"It belongs in the section {homes[0]}."
    elif near:
        advice = f"Did you mean {near}?"
    elif in_braces:
        # It may be what stands behind a comma in a secret.
        return f"{place}: behind a comma is no key of the section {section}. Put a value with a comma in quotes."
    else:
        advice = "docs/reference/configuration.md lists all of them."
    return f"{place}: there is no key {name[:80]!r} in the section {section}. {advice}"
