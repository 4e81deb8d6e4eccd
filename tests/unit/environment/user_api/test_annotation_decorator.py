"""The decorator as such: what it refuses, and that it changes nothing but the description."""

import functools
import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from queueserver_environment.user_api.annotation_decorator import (
    ATTRIBUTE,
    AnnotationError,
    parameter_annotation_decorator,
)


def plan(a: int, *, b: Any = None) -> Iterator[Any]:
    """Do it."""
    yield a, b


class Laboratory:
    def measure(self, a: int) -> Iterator[Any]:
        yield a


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (5, "must be a dictionary"),
        ({"titel": "x"}, "has the key 'titel'; possible are description, parameters"),
        ({"description": 5}, "'description' of the annotation must be a text"),
        ({"parameters": [1]}, "'parameters' must be a dictionary"),
        ({"parameters": {"c": {}}}, "'c', which is not a parameter of the plan; those are a, b"),
        ({"parameters": {"a": "int"}}, "parameter 'a' must be a dictionary"),
        ({"parameters": {"a": {"typ": "int"}}}, "has the key 'typ'"),
        ({"parameters": {"a": {"annotation": int}}}, "must be a text, not type"),
        ({"parameters": {"a": {"description": None}}}, "must be a text, not None"),
        ({"parameters": {"a": {"devices": ["det1"]}}}, "must be a dictionary"),
        ({"parameters": {"a": {"plans": {"no name": []}}}}, "must be an identifier"),
        ({"parameters": {"a": {"enums": {"Mode": "fast"}}}}, "must be a list or tuple of texts"),
        ({"parameters": {"a": {"enums": {"Mode": [1]}}}}, "must be a list or tuple of texts"),
        ({"parameters": {"a": {"min": "1"}}}, "must be a number, not str"),
        ({"parameters": {"a": {"step": True}}}, "must be a number, not bool"),
        ({"parameters": {"a": {"unit": 1}}}, "must be a text"),
        ({"parameters": {"a": {"convert_plan_names": 1}}}, "must be True or False"),
        ({1: "x"}, "texts as keys"),
    ],
)
def test_a_dictionary_of_another_form_is_refused_when_decorating(annotation: Any, told: str) -> None:
    with pytest.raises(AnnotationError) as refused:
        parameter_annotation_decorator(annotation)(plan)
    assert told in str(refused.value)


def test_the_decorated_plan_behaves_as_before_and_the_original_is_not_touched() -> None:
    decorated = parameter_annotation_decorator({"parameters": {"b": {"default": 7}}})(plan)
    assert inspect.isgeneratorfunction(decorated)
    assert inspect.signature(decorated) == inspect.signature(plan)
    assert (decorated.__name__, decorated.__doc__, decorated.__module__) == ("plan", "Do it.", __name__)
    assert list(decorated(1)) == [(1, None)]
    assert not hasattr(plan, ATTRIBUTE)


def test_methods_and_partial_functions_can_be_decorated() -> None:
    method = parameter_annotation_decorator({"parameters": {"a": {"min": 0}}})(Laboratory().measure)
    assert inspect.isgeneratorfunction(method)
    assert list(method(3)) == [3]
    made = parameter_annotation_decorator({})(functools.partial(plan, b=None))
    assert list(made(1)) == [(1, None)]


def test_a_function_with_a_closure_can_be_decorated() -> None:
    factor = 3

    @parameter_annotation_decorator({"description": "Multiply."})
    def times(a: int, *, b: int = 2) -> Iterator[int]:
        yield a * b * factor

    assert list(times(5)) == [30]


def test_the_dictionary_can_be_changed_and_used_again() -> None:
    said: dict[str, Any] = {"parameters": {"a": {"enums": {"Mode": ["x"]}, "annotation": "Mode"}}}
    decorated = parameter_annotation_decorator(said)(plan)
    said["parameters"]["a"]["enums"]["Mode"].append("y")
    assert getattr(decorated, ATTRIBUTE)["parameters"]["a"]["enums"] == {"Mode": ["x"]}


def test_no_frame_of_the_decorator_stands_in_a_traceback() -> None:
    @parameter_annotation_decorator({})
    def broken() -> Iterator[Any]:
        yield 1 / 0

    with pytest.raises(ZeroDivisionError) as raised:
        list(broken())
    assert {entry.path for entry in raised.traceback} == {raised.traceback[0].path}
