"""The words of annotations, and what they mean to a caller of a plan with values of JSON.

A word is the last part of a dotted name: ``typing.List`` and ``List`` mean the same.
"""

from __future__ import annotations

import keyword
from typing import Final

from queueserver_inventory.parameter_types import ParameterType, TypeKind

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
NAMES: Final[dict[str, tuple[TypeKind, str]]] = {
    **{word: (TypeKind.DEVICE, protocol) for word, protocol in (_PROTOCOL_NAMES | PROTOCOLS).items()},
    "__PLAN__": (TypeKind.PLAN, ""),
    "__PLAN_OR_DEVICE__": (TypeKind.DEVICE_OR_PLAN, ""),
}
"""Words for names of devices and plans: the kind, and the protocol of the device."""

SIMPLE: Final[dict[str, TypeKind]] = {
    "Any": TypeKind.ANY,
    "object": TypeKind.ANY,
    "Hashable": TypeKind.ANY,
    "None": TypeKind.NONE,
    "NoneType": TypeKind.NONE,
    "bool": TypeKind.BOOLEAN,
    **dict.fromkeys(("int", "Integral"), TypeKind.INTEGER),
    **dict.fromkeys(("float", "Number", "Real"), TypeKind.NUMBER),
    **dict.fromkeys(("str", "Text"), TypeKind.STRING),
    **dict.fromkeys({*LISTS, *TUPLES, "ndarray"}, TypeKind.LIST),
    **dict.fromkeys(MAPS, TypeKind.MAP),
    **dict.fromkeys(CALLABLES, TypeKind.CALLABLE),
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

DEVICES: Final = frozenset({TypeKind.DEVICE, TypeKind.DEVICE_OR_PLAN})
PLANS: Final = frozenset({TypeKind.PLAN, TypeKind.DEVICE_OR_PLAN})
ENUMS: Final = frozenset({TypeKind.ENUM})

_TEXTS: Final[dict[TypeKind, str]] = {
    TypeKind.ANY: "typing.Any",
    TypeKind.NONE: "None",
    TypeKind.BOOLEAN: "bool",
    TypeKind.INTEGER: "int",
    TypeKind.NUMBER: "float",
    TypeKind.STRING: "str",
    TypeKind.PLAN: "__PLAN__",
    TypeKind.DEVICE_OR_PLAN: "__PLAN_OR_DEVICE__",
    TypeKind.CALLABLE: "__CALLABLE__",
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


def text_of(tree: ParameterType) -> str:
    """The word for a type without parts; nothing if there is none."""
    if tree.kind is TypeKind.DEVICE:
        return device_text(tree.device_protocol)
    if tree.kind is TypeKind.STRING and tree.format:
        return _FORMAT_TEXTS.get(tree.format, "")
    return _TEXTS.get(tree.kind, "")


def can_be_defined(name: str) -> bool:
    """Whether a list can have that name without hiding a word that is needed to write types."""
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _WRITTEN
