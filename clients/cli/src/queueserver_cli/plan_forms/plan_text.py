"""A plan as it is written on the command line: JSON, or a Python literal.

Every error is reported with its place, and nothing is sent.
"""

from __future__ import annotations

import ast
import json
import warnings
from typing import Any

from queueserver_client import Item, ValueNotRepresentable, merge_meta

from queueserver_cli.outcome import WrongCommand

_TAKEN = {"name", "args", "kwargs", "meta", "properties"}
#: Set by the server: accepted so that a printed item can be submitted again, and ignored.
_IGNORED = {"item_type", "item_uid", "user", "user_group", "attempt", "retry_of_uid", "held", "problems", "result"}
_SHOWN = 60
#: Words of JSON, and how Python writes them.
_WORDS_OF_JSON = {"true": "True", "false": "False", "null": "None"}
_TAKEN_BY_FUNCTIONS = {"name", "args", "kwargs"}


def parse_plan(text: str) -> Item:
    """The item that PLAN describes. Raises WrongCommand."""
    return plan_of(_literal(text, "PLAN"))


def plan_of(fields: Any) -> Item:
    """The item that a dictionary describes. Raises WrongCommand."""
    if not isinstance(fields, dict):
        raise WrongCommand(
            f"PLAN is a {type(fields).__name__}, but must be a dictionary such as "
            '\'{"name": "count", "args": [["det1"]], "kwargs": {"num": 5}}\'.'
        )
    unknown = [key for key in fields if key not in _TAKEN | _IGNORED]
    if unknown:
        raise WrongCommand(f"PLAN has an unknown key {unknown[0]!r}. Known are: {', '.join(sorted(_TAKEN))}.")
    if fields.get("item_type", "plan") != "plan":
        raise WrongCommand(f"PLAN has item_type {fields['item_type']!r}, but this command adds plans.")
    return _item(fields)


def parse_function(text: str) -> tuple[str, list[Any], dict[str, Any]]:
    """Name and arguments of the call that FUNC describes. Raises WrongCommand."""
    fields = _literal(text, "FUNC")
    if not isinstance(fields, dict):
        raise WrongCommand('FUNC must be a dictionary such as \'{"name": "function_sleep", "args": [1]}\'.')
    unknown = [key for key in fields if key not in _TAKEN_BY_FUNCTIONS | _IGNORED]
    if unknown:
        raise WrongCommand(f"FUNC has an unknown key {unknown[0]!r}. Known are: args, kwargs, name.")
    if fields.get("item_type", "function") != "function":
        raise WrongCommand(f"FUNC has item_type {fields['item_type']!r}, but this command executes functions.")
    name, args, kwargs = fields.get("name"), fields.get("args", []), fields.get("kwargs", {})
    if not isinstance(name, str) or not name:
        raise WrongCommand("FUNC needs a name: the name of a function, as text, under the key 'name'.")
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        raise WrongCommand("FUNC must have a list under 'args' and a dictionary under 'kwargs', if it has them.")
    return name, list(args), kwargs


def _item(fields: dict[str, Any]) -> Item:
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        raise WrongCommand("PLAN needs a name: the name of a plan, as text, under the key 'name'.")
    for key, kind, words in (
        ("args", (list, tuple), "a list"),
        ("kwargs", (dict,), "a dictionary"),
        ("meta", (dict, list, tuple), "a dictionary or a list of them"),
        ("properties", (dict,), "a dictionary"),
    ):
        if key in fields and not isinstance(fields[key], kind):
            raise WrongCommand(f"PLAN has {key} of type {type(fields[key]).__name__}, but it must be {words}.")
    given = {key: fields[key] for key in ("args", "kwargs", "meta", "properties") if key in fields}
    try:
        if "meta" in given:
            given["meta"] = merge_meta(given["meta"])
        item = Item(name, **given)
        item.to_spec()
    except ValueNotRepresentable as error:
        raise WrongCommand(f"PLAN: {error}") from None
    return item


def _literal(text: str, word: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        json_error = error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise WrongCommand(_explain(text, word, json_error, error)) from None


def _explain(text: str, word: str, json_error: Exception, python_error: Exception) -> str:
    """Point at the place where the reader that came furthest gave up."""
    if isinstance(json_error, RecursionError) or isinstance(python_error, (RecursionError, MemoryError)):
        return f"{word} is nested too deeply."
    if not isinstance(json_error, json.JSONDecodeError):
        return f"{word} can't be read: {json_error}."
    place, reason = json_error.pos, json_error.msg
    python_place, python_reason = _python_stop(text, python_error)
    if python_place > place:
        place, reason = python_place, python_reason
    begin = max(0, place - _SHOWN // 2)
    shown = text[begin : begin + _SHOWN].replace("\n", " ").replace("\t", " ")
    return (
        f"{word} is neither JSON nor a Python literal. At character {place + 1}: {reason}\n"
        f"  {shown}\n  {' ' * (place - begin)}^"
    )


def _python_stop(text: str, error: Exception) -> tuple[int, str]:
    """The place at which Python's reader gave up, and why; -1 if that is not known."""
    if isinstance(error, SyntaxError):
        on_first_line = error.lineno == 1 and error.offset is not None
        return ((error.offset or 0) - 1, error.msg) if on_first_line else (-1, "")
    begin = len(text) - len(text.lstrip(" \t"))
    name = _first_name(text[begin:])
    if name is None:
        return -1, ""
    *above, line = text[begin:].split("\n")[: name.lineno]
    place = begin + sum(len(each) + 1 for each in above) + len(line.encode()[: name.col_offset].decode(errors="ignore"))
    word = _WORDS_OF_JSON.get(name.id)
    if word is not None:
        return place, f"a Python literal has {word}, not {name.id}; in JSON, text is in double quotes"
    return place, f"{name.id} is not a value; text is in quotes"


def _first_name(text: str) -> ast.Name | None:
    """The first word that stands for no value in a Python literal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return min(names, key=lambda name: (name.lineno, name.col_offset), default=None)
