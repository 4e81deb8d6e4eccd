"""Types of parameters as text, as people write annotations, and back: ``typing.List[Dets]`` ↔ ParameterType.

Text is parsed, never evaluated, whatever its source. Guarantees: reading what ``write_type`` has written gives the same
tree again; a text of any content is either read or refused with a sentence, in bounded time.
Does not guarantee that two texts for one type give the same text when they are written again.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from queueserver_inventory import type_words as words
from queueserver_inventory.parameter_types import ParameterType, TypeKind
from queueserver_inventory.type_trees import key_type, literal_type, named_lists, union_of

#: Bounds of a text: characters, and types inside of each other.
LONGEST_TEXT: Final = 10_000
MOST_LEVELS: Final = 24
_LONGEST_SHOWN: Final = 80


class TypeTextError(ValueError):
    """The text is not a type, or the type has no text; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class TypeNames:
    """Lists of names or texts, each by the name that stands for it in an annotation as if it were a type."""

    devices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    plans: Mapping[str, Sequence[str]] = field(default_factory=dict)
    enums: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.devices or self.plans or self.enums)


NO_NAMES: Final = TypeNames()


def read_type(text: str, names: TypeNames = NO_NAMES, *, lenient: bool = False) -> ParameterType:
    """The type that a text means, with the lists that ``names`` defines.

    With ``lenient`` an unknown part becomes UNSPECIFIED (any value) where it stands. Raises TypeTextError.
    """
    return _Reader(names, lenient=lenient).tree(_parsed(text), 0)


def write_type(tree: ParameterType) -> tuple[str, TypeNames]:
    """A text for a type, and the lists to which names in it refer.

    No text expresses the fields of a record and the class of a device: it is that of any object, of any device. Raises
    TypeTextError for a type with UNSPECIFIED anywhere else in it, which no text can express.
    """
    writer = _Writer()
    return writer.text(tree), writer.names


def type_names(tree: ParameterType) -> TypeNames:
    """The lists to which a type refers by a name."""
    devices: dict[str, Sequence[str]] = {}
    plans: dict[str, Sequence[str]] = {}
    enums: dict[str, Sequence[str]] = {}
    for node in named_lists(tree):
        for kinds, lists in ((words.DEVICES, devices), (words.PLANS, plans), (words.ENUMS, enums)):
            if node.kind in kinds:
                lists[node.type_name] = list(node.choices)
    return TypeNames(devices, plans, enums)


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST_TEXT:
        raise TypeTextError(f"A type is at most {LONGEST_TEXT:,} characters long; this one has {len(text):,}.")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TypeTextError(
            f"{_shown(text)} is not a type: write, for example, typing.List[int] or int | None."
        ) from error


class _Reader:
    """Reads one annotation."""

    def __init__(self, names: TypeNames, *, lenient: bool) -> None:
        self._names = names
        self._lenient = lenient

    def tree(self, node: ast.expr, level: int) -> ParameterType:
        if level > MOST_LEVELS:
            raise TypeTextError(f"A type has at most {MOST_LEVELS} levels of types inside of each other.")
        if isinstance(node, ast.Constant):
            return self._constant(node, level)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return union_of(self.tree(option, level + 1) for option in _options(node))
        if isinstance(node, ast.Subscript):
            return self._generic(node, level + 1)
        return self._unknown(f"{_source(node)} is not a type.")

    def _constant(self, node: ast.Constant, level: int) -> ParameterType:
        if node.value is None:
            return ParameterType(TypeKind.NONE)
        if isinstance(node.value, str):
            return self.tree(_parsed(node.value), level + 1)
        return self._unknown(f"{node.value!r} is not a type: write Literal[{node.value!r}] for a single value.")

    def _named(self, node: ast.expr) -> ParameterType:
        name = _dotted(node)
        if name.count(".") > MOST_LEVELS:
            raise TypeTextError(f"{_shown(name)} is not a type: a name has at most {MOST_LEVELS} dots.")
        listed = self._listed(name)
        if listed is not None:
            return listed
        word = words.word_of(name)
        if word in words.SIMPLE:
            return ParameterType(words.SIMPLE[word])
        if word in words.FORMATS:
            return ParameterType(TypeKind.STRING, format=words.FORMATS[word])
        if word in words.NAMES:
            kind, protocol = words.NAMES[word]
            return ParameterType(kind, device_protocol=protocol)
        if word and isinstance(getattr(builtins, word, None), type):
            return ParameterType()
        return self._unknown(
            f"The type {_shown(name or _source(node))} is not known: use a type of Python, typing or collections, "
            "__READABLE__, __MOVABLE__, __FLYABLE__, __DEVICE__, __PLAN__ or __CALLABLE__, or a name that is defined "
            "in 'devices', 'plans' or 'enums' of the same parameter."
        )

    def _listed(self, name: str) -> ParameterType | None:
        if name in self._names.enums:
            return ParameterType(TypeKind.ENUM, choices=tuple(self._names.enums[name]), type_name=name)
        devices, plans = self._names.devices.get(name), self._names.plans.get(name)
        if devices is None and plans is None:
            return None
        if devices is None or plans is None:
            kind = TypeKind.PLAN if devices is None else TypeKind.DEVICE
            return ParameterType(kind, choices=tuple(devices or plans or ()), type_name=name, listed=True)
        both = tuple(dict.fromkeys([*devices, *plans]))
        return ParameterType(TypeKind.DEVICE_OR_PLAN, choices=both, type_name=name, listed=True)

    def _generic(self, node: ast.Subscript, level: int) -> ParameterType:
        word = words.word_of(_dotted(node.value))
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if word in words.TUPLES:
            return self._tuple(inside, level)
        if word in words.WITH_TYPES:
            return self._with_types(word, node, level, inside)
        if word == "Literal":
            return self._literal(inside)
        if word in words.BRACKETS_IGNORED:
            return self._named(node.value)
        if word in ("type", "Type"):
            return ParameterType()
        return self._unknown(f"{_source(node)} is not a type: {_source(node.value)} takes no types in brackets.")

    def _with_types(self, word: str, node: ast.Subscript, level: int, inside: list[ast.expr]) -> ParameterType:
        """A type made of those in its brackets."""
        least, most = words.WITH_TYPES[word]
        if not least <= len(inside) <= most:
            wanted = "the types of keys and of values" if word in words.MAPS else "one type in brackets"
            return self._unknown(f"{_source(node)} is not a type: {word} takes {wanted}.")
        if word == "Annotated":
            return self.tree(inside[0], level)
        parts = [self.tree(part, level) for part in inside]
        if word in words.LISTS:
            return ParameterType(TypeKind.LIST, tuple(parts))
        if word in words.MAPS:
            return ParameterType(TypeKind.MAP, tuple(parts[1:]), key=key_type(parts[0]))
        return union_of([*parts, ParameterType(TypeKind.NONE)] if word == "Optional" else parts)

    def _tuple(self, inside: list[ast.expr], level: int) -> ParameterType:
        if len(inside) == len(("element", "...")) and _is_ellipsis(inside[1]):
            return ParameterType(TypeKind.LIST, (self.tree(inside[0], level),))
        return ParameterType(TypeKind.TUPLE, tuple(self.tree(part, level) for part in inside))

    def _literal(self, inside: list[ast.expr]) -> ParameterType:
        try:
            return literal_type([ast.literal_eval(value) for value in inside])
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return self._unknown("Literal takes texts, numbers, True, False and None only.")

    def _unknown(self, why: str) -> ParameterType:
        if self._lenient:
            return ParameterType()
        raise TypeTextError(why)


class _Writer:
    """Writes one annotation, and collects the names in it."""

    def __init__(self) -> None:
        self._lists: dict[str, ParameterType] = {}

    @property
    def names(self) -> TypeNames:
        return type_names(ParameterType(arguments=tuple(self._lists.values())))

    def text(self, tree: ParameterType) -> str:
        kind = tree.kind
        if kind is TypeKind.UNION:
            options = union_of(tree.arguments)
            if options.kind is not TypeKind.UNION:
                return self.text(options)
            return " | ".join(map(self.text, options.arguments))
        if kind is TypeKind.TUPLE:
            return f"tuple[{', '.join(map(self.text, tree.arguments)) or '()'}]"
        if kind is TypeKind.LIST:
            return f"list[{self.text(tree.arguments[0])}]" if tree.arguments else "list"
        if kind is TypeKind.MAP:
            return self._map(tree)
        if kind is TypeKind.LITERAL:
            return f"typing.Literal[{', '.join(map(repr, map(_whole, tree.values)))}]"
        if kind is TypeKind.ENUM or tree.listed:
            return self._choices(tree)
        text = "dict" if kind is TypeKind.RECORD else words.text_of(tree)
        if not text:
            raise TypeTextError("The type is not known to more than its own code, so it has no text.")
        return text

    def _choices(self, tree: ParameterType) -> str:
        if tree.kind is TypeKind.ENUM and not tree.type_name and tree.choices:
            return f"typing.Literal[{', '.join(map(repr, tree.choices))}]"
        return self._name(tree)

    def _map(self, tree: ParameterType) -> str:
        if not tree.arguments:
            return "dict"
        key = self.text(tree.key) if tree.key is not None else "str"
        return f"dict[{key}, {self.text(tree.arguments[0])}]"

    def _name(self, tree: ParameterType) -> str:
        base = tree.type_name if words.can_be_defined(tree.type_name) else "Names"
        name, number = base, 1
        while name in self._lists and not _same_list(self._lists[name], tree):
            number += 1
            name = f"{base}{number}"
        self._lists[name] = ParameterType(tree.kind, choices=tree.choices, type_name=name, listed=tree.listed)
        return name


def _whole(value: float) -> float:
    """The same number, as a whole one if it is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _same_list(one: ParameterType, other: ParameterType) -> bool:
    return one.kind == other.kind and one.choices == other.choices


def _options(node: ast.expr) -> Iterator[ast.expr]:
    """What is between the bars of ``a | b | c``, in order; a chain may be long, so without recursion."""
    chain: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        chain.append(node.right)
        node = node.left
    yield node
    yield from reversed(chain)


def _dotted(node: ast.expr) -> str:
    """``a.b.c``, or nothing if it is something else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis


def _source(node: ast.expr) -> str:
    try:
        return _shown(ast.unparse(node))
    except (RecursionError, ValueError):
        return "It"


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")
