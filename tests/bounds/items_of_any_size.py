"""Items whose length, number of values or depth is near a bound, and whether the contract allows them."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.struct_pb2 import ListValue, Struct, Value
from hypothesis import strategies as st
from queueserver.common.v1 import item_pb2

MIB = 1024 * 1024
BYTES, VALUES, LEVELS, REQUEST_BYTES = MIB, 15_000, 30, 12 * MIB
#: Characters that JSON or Protobuf write in one, two, three, four and six bytes.
CHARACTERS = ("x", "é", "→", "😀", "\x01", '"')
PLACES = ("args", "kwargs", "meta", "properties")


@dataclass(frozen=True)
class Shape:
    """An item: what it is filled with, how much of that, and in which field."""

    filling: str
    amount: int
    place: str

    def item(self) -> item_pb2.ItemSpec:
        """The item."""
        item = item_pb2.ItemSpec(name="take_anything")
        content = self._content(item)
        if self.place == "args":
            item.args.values.append(content)
        else:
            getattr(item, self.place).fields["filling"].CopyFrom(content)
        return item

    def _content(self, item: item_pb2.ItemSpec) -> Value:
        """A text is as long as makes the whole item ``amount`` bytes long, if its characters allow that."""
        if self.filling in CHARACTERS:
            empty = self.amount - item.ByteSize() - 40
            return Value(string_value=self.filling * max(0, empty // len(self.filling.encode())))
        if self.filling == "numbers":
            return _list([Value(number_value=number + 0.5) for number in range(self.amount)])
        if self.filling == "lists":
            return _list([Value(list_value=ListValue())] * self.amount)
        if self.filling == "keys":
            return Value(struct_value=Struct(fields={f"{key}": Value(bool_value=True) for key in range(self.amount)}))
        value = Value(number_value=1)
        for _ in range(self.amount):
            value = Value(struct_value=Struct(fields={"": value}))
        return value

    @property
    def is_legal(self) -> bool | None:
        """Whether it is accepted; None where it depends on how the server counts what is around the filling."""
        if self.filling in CHARACTERS:
            return self.item().ByteSize() <= BYTES
        limit = LEVELS if self.filling == "levels" else VALUES
        if abs(self.amount - limit) <= 2:
            return None
        return self.amount < limit


def _list(values: list[Value]) -> Value:
    return Value(list_value=ListValue(values=values))


def _near(bound: int, lowest: int = 0) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(bound - 50, bound + 50), st.integers(lowest, bound))


# Protobuf itself refuses to send a message with two levels more.
shapes = st.one_of(
    st.builds(Shape, st.sampled_from(CHARACTERS), _near(BYTES, 60), st.sampled_from(PLACES)),
    st.builds(Shape, st.sampled_from(("numbers", "lists", "keys")), _near(VALUES), st.sampled_from(PLACES)),
    st.builds(Shape, st.just("levels"), st.integers(1, LEVELS + 2), st.sampled_from(PLACES)),
)
#: Texts of legal length, so that many batches are near the bound of a request.
long_texts = st.builds(Shape, st.sampled_from(CHARACTERS), st.integers(BYTES - 200, BYTES), st.sampled_from(PLACES))
batches = st.one_of(
    st.lists(shapes, min_size=1, max_size=3),
    st.lists(long_texts, min_size=8, max_size=13),
    st.lists(st.one_of(shapes, long_texts), min_size=8, max_size=13),
)
