"""A message with parts that are encoded already arrives like one that is encoded as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_zmq_bridge.sockets.encoding import Encoded, encoding_of

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
)
_OBJECTS = st.dictionaries(st.text(), _VALUES, max_size=20)


@pytest.mark.parametrize("name", ["json", "msgpack"])
@given(inside=_OBJECTS, beside=_OBJECTS, key=st.text())
def test_encoded_parts_arrive_as_they_were(name: str, inside: dict[str, Any], beside: dict[str, Any], key: str) -> None:
    encoding = encoding_of(name)
    parts = {each: encoding.encode(value) for each, value in inside.items()}
    joined = encoding.join(parts)
    assert isinstance(joined, Encoded)
    assert encoding.decode(joined) == inside
    assert encoding.decode(encoding.encode({**beside, key: joined})) == {**beside, key: inside}
