"""The words of annotations, and what they mean to a caller of a plan with values of JSON.

A word is the last part of a dotted name: ``typing.List`` and ``List`` mean the same.
"""

from __future__ import annotations

import keyword
from typing import Final

from queueserver.common.v1.inventory_pb2 import ParameterType

_T = ParameterType
_MODULES: Final = frozenset(
    {
        "",
        "abc",
        "bluesky.protocols",
        "builtins",
        "collections",
        "collections.abc",
        "datetime",
        "numbers",
        "numpy",
        "os",
        "pathlib",
        "protocols",
        "types",
        "typing",
        "typing_extensions",
        "uuid",
    }
)
LISTS: Final = frozenset(
    {
        "AbstractSet",
        "Collection",
        "Deque",
        "FrozenSet",
        "Iterable",
        "Iterator",
        "List",
        "MutableSequence",
        "MutableSet",
        "Sequence",
        "Set",
        "deque",
        "frozenset",
        "list",
        "set",
    }
)
MAPS: Final = frozenset({"DefaultDict", "Dict", "Mapping", "MutableMapping", "OrderedDict", "defaultdict", "dict"})
TUPLES: Final = frozenset({"tuple", "Tuple"})
CALLABLES: Final = frozenset({"Callable", "__CALLABLE__"})

PROTOCOLS: Final = {
    **dict.fromkeys(("Readable", "AsyncReadable"), "Readable"),
    **dict.fromkeys(("Movable", "NamedMovable"), "Movable"),
    "Flyable": "Flyable",
    **dict.fromkeys(
        (
            "Checkable",
            "Collectable",
            "Configurable",
            "EventCollectable",
            "EventPageCollectable",
            "HasHints",
            "HasName",
            "HasParent",
            "Locatable",
            "Pausable",
            "Preparable",
            "Stageable",
            "Stoppable",
            "Subscribable",
            "Triggerable",
            "WritesExternalAssets",
            "WritesStreamAssets",
        ),
        "",
    ),
}
"""Protocols of bluesky, and which of Readable, Movable, Flyable (or none of them) a device then follows."""

_PROTOCOL_NAMES: Final = {
    "__DEVICE__": "",
    "__READABLE__": "Readable",
    "__MOVABLE__": "Movable",
    "__FLYABLE__": "Flyable",
    "__DETECTOR__": "Readable",
    "__MOTOR__": "Movable",
}
NAMES: Final[dict[str, tuple[_T.Kind.ValueType, str]]] = {
    **{word: (_T.KIND_DEVICE, protocol) for word, protocol in (_PROTOCOL_NAMES | PROTOCOLS).items()},
    "__PLAN__": (_T.KIND_PLAN, ""),
    "__PLAN_OR_DEVICE__": (_T.KIND_DEVICE_OR_PLAN, ""),
}
"""Words for names of devices and plans: the kind, and the protocol of the device."""

SIMPLE: Final[dict[str, _T.Kind.ValueType]] = {
    "Any": _T.KIND_ANY,
    "object": _T.KIND_ANY,
    "Hashable": _T.KIND_ANY,
    "None": _T.KIND_NONE,
    "NoneType": _T.KIND_NONE,
    "bool": _T.KIND_BOOLEAN,
    **dict.fromkeys(("int", "Integral"), _T.KIND_INTEGER),
    **dict.fromkeys(("float", "Number", "Real"), _T.KIND_NUMBER),
    **dict.fromkeys(("str", "Text"), _T.KIND_STRING),
    **dict.fromkeys({*LISTS, *TUPLES, "ndarray"}, _T.KIND_LIST),
    **dict.fromkeys(MAPS, _T.KIND_MAP),
    **dict.fromkeys(CALLABLES, _T.KIND_CALLABLE),
}
"""Words that are complete types."""

FORMATS: Final[dict[str, str]] = {
    **dict.fromkeys(("Path", "PurePath", "PathLike"), "path"),
    "datetime": "date-time",
    "date": "date",
    "time": "time",
    "UUID": "uuid",
    "bytes": "bytes",
}
"""Words for texts of a certain form, or that become something else."""

DEVICES: Final = frozenset({_T.KIND_DEVICE, _T.KIND_DEVICE_OR_PLAN})
PLANS: Final = frozenset({_T.KIND_PLAN, _T.KIND_DEVICE_OR_PLAN})
ENUMS: Final = frozenset({_T.KIND_ENUM})

_TEXTS: Final[dict[_T.Kind.ValueType, str]] = {
    _T.KIND_ANY: "typing.Any",
    _T.KIND_NONE: "None",
    _T.KIND_BOOLEAN: "bool",
    _T.KIND_INTEGER: "int",
    _T.KIND_NUMBER: "float",
    _T.KIND_STRING: "str",
    _T.KIND_PLAN: "__PLAN__",
    _T.KIND_DEVICE_OR_PLAN: "__PLAN_OR_DEVICE__",
    _T.KIND_CALLABLE: "__CALLABLE__",
}
_FORMAT_TEXTS: Final = {
    "path": "pathlib.Path",
    "date-time": "datetime.datetime",
    "date": "datetime.date",
    "time": "datetime.time",
    "uuid": "uuid.UUID",
    "bytes": "bytes",
}
_WRITTEN: Final = frozenset({*_TEXTS.values(), "bytes", *_PROTOCOL_NAMES, "list", "dict", "tuple"})

_MANY: Final = 1_000
WITH_TYPES: Final = {
    **dict.fromkeys(LISTS, (1, 1)),
    **dict.fromkeys(MAPS, (2, 2)),
    "Optional": (1, 1),
    "Union": (1, _MANY),
    "Annotated": (1, _MANY),
}
"""Words that take other types in brackets: how many at least and at most."""
BRACKETS_IGNORED: Final = frozenset({*CALLABLES, *PROTOCOLS, "ndarray", "PathLike"})
"""Words that mean the same whatever follows in brackets."""


def word_of(name: str) -> str:
    """The word that a dotted name stands for; nothing if its module does not define annotations."""
    module, _, word = name.rpartition(".")
    return word if module in _MODULES else ""


def device_text(protocol: str) -> str:
    """The word for the name of any device that follows a protocol: "Readable", "Movable", "Flyable" or nothing."""
    return f"__{protocol.upper() or 'DEVICE'}__"


def text_of(tree: _T) -> str:
    """The word for a type without parts; nothing if there is none."""
    if tree.kind == _T.KIND_DEVICE:
        return device_text(tree.device_protocol)
    if tree.kind == _T.KIND_STRING and tree.format:
        return _FORMAT_TEXTS.get(tree.format, "")
    return _TEXTS.get(tree.kind, "")


def can_be_defined(name: str) -> bool:
    """Whether a list can have that name without hiding a word that is needed to write types."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _WRITTEN
