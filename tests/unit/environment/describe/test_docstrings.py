"""Which docstrings an environment reports, and that none does harm."""

# mypy: disable-error-code="untyped-decorator"

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from queueserver_environment.describe import docstrings
from queueserver_environment.describe.docstrings import docstrings_of
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.user_api.annotation_decorator import parameter_annotation_decorator


def plan(a: int) -> Iterator[Any]:
    """Do it."""
    yield a


def documented(text: object) -> Any:
    """A plan with this docstring."""

    def other(a: int) -> Iterator[Any]:
        yield a

    other.__doc__ = text  # type: ignore[assignment] # whatever it is
    return other


def reported(**plans: Any) -> dict[str, str]:
    return docstrings_of(take_inventory(plans), plans)


class Hostile:
    """A plan whose docstring can't be had."""

    _is_plan_ = True

    def __call__(self, a: int) -> Iterator[Any]:
        yield a

    def __getattribute__(self, name: str) -> Any:
        if name == "__doc__":
            raise RuntimeError("no")
        return super().__getattribute__(name)


def test_docstrings_are_reported_as_they_are_by_the_names_of_plans() -> None:
    text = "  Do it.\n\n    Args:\n      a: First.\n"
    found = reported(one=documented(text), part=functools.partial(plan, 5), alias=plan)
    assert found == {"one": text, "part": "Do it.", "alias": "Do it."}


def test_what_decorators_describe_completely_needs_no_docstring() -> None:
    complete = {"description": "It.", "parameters": {"a": {"description": "First."}}}
    said = {"description": "It."}
    found = reported(
        complete=parameter_annotation_decorator(complete)(plan), partly=parameter_annotation_decorator(said)(plan)
    )
    assert found == {"partly": "Do it."}


@pytest.mark.parametrize("text", [None, 5, "", b"Do it."])
def test_what_is_no_text_is_not_reported(text: object) -> None:
    assert reported(one=documented(text), hostile=Hostile()) == {}


def test_texts_are_bounded_each_and_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(a=documented("x" * 50_000)) == {"a": "x" * docstrings.MAX_DOCSTRING}
    monkeypatch.setattr(docstrings, "MAX_DOCSTRINGS", 10)
    assert reported(a=documented("12345"), b=documented("123456"), c=documented("1")) == {"a": "12345"}


def test_a_text_that_can_not_be_encoded_is_written_as_it_is_printed() -> None:
    assert reported(a=documented("\ud800")) == {"a": "\\ud800"}
