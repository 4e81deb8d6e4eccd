"""A plan as YAML for an editor, and back without a change of any value.

Plain words mean what they mean in JSON and in YAML 1.2: `on`, `yes` and dates are texts, `1e-3` is a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import yaml
from queueserver_client import Item, ItemType

from queueserver_cli.outcome import WrongCommand
from queueserver_cli.plan_forms.plan_text import plan_of
from queueserver_cli.words.legacy_json import plain

_KEYS = ("name", "args", "kwargs", "meta", "properties")
_WIDTH = 100


class _Loader(yaml.SafeLoader):
    """Reads plain words as JSON would."""


class _Dumper(yaml.SafeDumper):
    """Writes words so that they are read back as they were."""

    def ignore_aliases(self, data: Any) -> bool:
        """A list that appears twice is written twice."""
        del data
        return True


_WORDS = (
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:null", r"null|~|", ["n", "~", ""]),
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)",
        "-+.0123456789",
    ),
)
for _kind in (_Loader, _Dumper):
    _kind.yaml_implicit_resolvers = {}
    for _tag, _pattern, _first in _WORDS:
        _kind.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})$"), list(_first))


def _float(loader: yaml.SafeLoader, node: yaml.Node) -> float:
    return float(loader.construct_scalar(node))  # type: ignore[arg-type] # a float is a scalar


_Loader.add_constructor("tag:yaml.org,2002:float", _float)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """In double quotes where it has more than can be seen: only there all characters come back as they were."""
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def to_yaml(item: Item, remarks: Iterable[str]) -> str:
    """An item as it is edited, with remarks above it."""
    fields: dict[str, Any] = {} if item.item_type is ItemType.PLAN else {"item_type": item.item_type.value}
    for key in _KEYS:
        if getattr(item, key) is not None:
            fields[key] = plain(getattr(item, key))
    text = yaml.dump(fields, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None)
    return "".join(f"# {line}".rstrip() + "\n" for remark in remarks for line in remark.splitlines()) + text


def from_yaml(text: str) -> Item | None:
    """The item that a text describes; None if there is nothing but remarks. Raises WrongCommand."""
    try:
        fields = yaml.load(text, Loader=_Loader)  # noqa: S506 - a loader made of the safe one
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise WrongCommand(f"The text is not YAML{place}: {error.problem}.") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WrongCommand(f"The text is not YAML: {error}") from None
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise WrongCommand("The text must have keys such as 'name:' and 'args:'.")
    if fields.get("item_type") == "instruction":
        if fields.get("name") not in {"queue_stop", "queue-stop"} or set(fields) != {"name", "item_type"}:
            raise WrongCommand("The only instruction is queue_stop, and it takes nothing.")
        return Item.queue_stop()
    return plan_of({key: value for key, value in fields.items() if value is not None})
