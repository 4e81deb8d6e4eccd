from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from queueserver.common.v1 import item_pb2, value_pb2
from queueserver_client import Array, Item, Plan, ValueNotRepresentable, values


def stored(item: Item) -> Item:
    """An item as the server would answer it: what is asked for has the same fields in both messages."""
    return Item.from_proto(item_pb2.Item.FromString(item.to_spec().SerializeToString()))


@pytest.mark.parametrize(
    ("kwargs", "path"),
    [
        ({"num": 2**53}, "kwargs.num"),
        ({"num": -(2**53)}, "kwargs.num"),
        ({"num": 10**5000}, "kwargs.num"),
        ({"num": 2.0**60}, "kwargs.num"),
        ({"num": float("nan")}, "kwargs.num"),
        ({"a": {"b": [0, float("inf")]}}, "kwargs.a.b[1]"),
        ({"raw": b"x"}, "kwargs.raw"),
        ({"names": {"a", "b"}}, "kwargs.names"),
        ({"text": "\udcff"}, "kwargs.text"),
        ({"m": {1: 2}}, "kwargs.m"),
        ({"x": np.float32("nan")}, "kwargs.x"),
        ({"x": np.array([1.0, float("nan")])}, "kwargs.x[1]"),
        ({"x": np.array(["2020-01-01"], dtype="datetime64[D]")}, "kwargs.x[0]"),
    ],
)
def test_a_value_that_would_not_arrive_as_it_left_is_refused_with_its_path(kwargs: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueNotRepresentable) as caught:
        Item("count", kwargs=kwargs).to_spec()
    assert caught.value.path == path
    assert str(caught.value).startswith(path)
    assert isinstance(caught.value, ValueError)


def test_several_dicts_of_metadata_are_merged_and_the_first_counts_most() -> None:
    item = Plan("count", meta=[{"sample": "a"}, {"sample": "b", "proposal": 7}, {}])
    assert item.meta == {"sample": "a", "proposal": 7}
    assert stored(item).meta == item.meta
    assert Plan("count", meta={"sample": "a"}).meta == {"sample": "a"}
    assert (Plan("count").meta, Plan("count", meta=[]).meta) == (None, {})


@pytest.mark.parametrize(
    ("meta", "path"), [("text", "meta"), (5, "meta"), ([{}, None], "meta[1]"), ([["a"]], "meta[0]")]
)
def test_metadata_that_is_no_dict_is_refused_with_its_path(meta: Any, path: str) -> None:
    with pytest.raises(ValueNotRepresentable) as caught:
        Plan("count", meta=meta)
    assert caught.value.path == path


def test_a_device_object_is_refused_with_the_hint_to_give_its_name() -> None:
    class Device:
        name = "det1"

    with pytest.raises(ValueNotRepresentable, match="given by name: 'det1'"):
        Plan("count", [Device()]).to_spec()


def test_endless_nesting_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ValueNotRepresentable, match="nested deeper"):
        Item("count", args=[endless]).to_spec()


def test_nesting_up_to_the_limit_survives_the_wire() -> None:
    value: Any = 1
    for _ in range(values.MAX_DEPTH - 1):
        value = {"k": value}
    item = Item("count", kwargs={"deep": value})
    wire = item_pb2.Item.FromString(item.to_spec().SerializeToString())
    assert Item.from_proto(wire).kwargs == {"deep": value}


def test_arguments_come_back_as_they_were_with_whole_numbers_as_int() -> None:
    sent = {"num": 5, "delay": 1.5, "big": 2**53 - 1, "huge": 1e300, "ok": True, "none": None, "l": [1, ["x", {}]]}
    back = stored(Item("count", args=[["det1"], -1], kwargs=sent))
    assert back.kwargs == sent
    assert back.args == [["det1"], -1]
    assert back.kwargs is not None
    assert {key: type(value) for key, value in back.kwargs.items()} == {k: type(v) for k, v in sent.items()}


def test_arguments_that_were_not_given_stay_absent_and_empty_ones_stay_empty() -> None:
    assert stored(Item("count")).args is None
    assert stored(Item("count", args=[], kwargs={})).args == []
    assert stored(Item("count", args=[], kwargs={})).kwargs == {}


def test_plan_is_written_as_a_call() -> None:
    item = Plan("count", ["det1"], num=np.int64(5), span=(1, 2), at=np.array([[1, 2]]), meta={"sample": "a"})
    back = stored(item)
    assert back.args == [["det1"]]
    assert back.kwargs == {"num": 5, "span": [1, 2], "at": [[1, 2]]}
    assert back.meta == {"sample": "a"}


def test_readings_arrive_without_loss() -> None:
    entries = {
        "int": value_pb2.DataValue(integer=2**62 + 1),
        "big": value_pb2.DataValue(big_integer="-" + "9" * 30),
        "inf": value_pb2.DataValue(number=float("inf")),
        "raw": value_pb2.DataValue(binary=b"\x00\xff"),
        "none": value_pb2.DataValue(),
        "nested": value_pb2.DataValue(list=value_pb2.DataList(values=[value_pb2.DataValue(boolean=True)])),
    }
    decoded = values.decode_map(entries)
    expected = [2**62 + 1, -int("9" * 30), float("inf"), b"\x00\xff", None, [True]]
    assert decoded == dict(zip(entries, expected, strict=True))


def test_an_array_becomes_a_numpy_array_of_its_type_and_shape() -> None:
    source = np.arange(6, dtype="<i2").reshape(2, 3)
    proto = value_pb2.DataValue(array=value_pb2.NdArray(dtype="<i2", shape=[2, 3], data=source.tobytes()))
    decoded = values.decode(proto)
    assert decoded.dtype == source.dtype
    assert (decoded == source).all()


@pytest.mark.parametrize(("dtype", "shape"), [("nonsense", [2]), ("|O", [1]), ("<f8", [7])])
def test_an_array_that_numpy_refuses_is_handed_over_raw(dtype: str, shape: list[int]) -> None:
    proto = value_pb2.DataValue(array=value_pb2.NdArray(dtype=dtype, shape=shape, data=b"12345678"))
    assert values.decode(proto) == Array(dtype, tuple(shape), b"12345678")


def test_without_numpy_an_array_is_handed_over_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "numpy":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    proto = value_pb2.DataValue(array=value_pb2.NdArray(dtype="<f8", shape=[1], data=b"12345678"))
    assert values.decode(proto) == Array("<f8", (1,), b"12345678")
