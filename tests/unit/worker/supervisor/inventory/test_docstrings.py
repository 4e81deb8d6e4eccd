"""Docstrings of plans: which styles are understood, where they count, and that no text does harm."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver.common.v1 import inventory_pb2 as pb
from queueserver_inventory.description_sizes import MAX_PLAN_BYTES
from queueserver_worker.supervisor.inventory import docstrings
from queueserver_worker.supervisor.inventory.docstrings import Docstrings, PlanText, read_docstring

GOOGLE = "Do it.\n\nArgs:\n    a (int): First,\n        continued.\n    *b: Second.\n\nReturns:\n    c: Nothing.\n"
NUMPY = (
    "    Do it.\n\n    More.\n\n    Parameters\n    ----------\n    a, b : int\n        Both.\n    *c\n        Rest.\n"
)


def inventory(**descriptions: str) -> pb.Inventory:
    """A plan with parameters that are described so."""
    parameters = [pb.ParameterDescription(name=name, description=text) for name, text in descriptions.items()]
    return pb.Inventory(plans=[pb.PlanDescription(name="plan", parameters=parameters)])


def test_numpy_google_and_sphinx_style_are_understood() -> None:
    assert read_docstring(NUMPY) == PlanText("Do it.", {"a": "Both.", "b": "Both.", "c": "Rest."})
    assert read_docstring(GOOGLE) == PlanText("Do it.", {"a": "First,\ncontinued.", "b": "Second."})
    sphinx = "Do it.\n\n:param a: First.\n:type a: int\n:param str b: Second.\n"
    assert read_docstring(sphinx) == PlanText("Do it.", {"a": "First.", "b": "Second."})


@pytest.mark.parametrize("text", ["", "Args:\n", "Parameters\n----------\n", ":param", "Args:\n  : :\n"])
def test_a_docstring_of_any_content_is_taken(text: str) -> None:
    assert isinstance(read_docstring(text).summary, str)


@given(st.sampled_from(["Args:\n", "Parameters\n----------\n", ":param a: "]), st.text(max_size=200))
def test_no_text_raises(section: str, text: str) -> None:
    assert isinstance(read_docstring(f"Do it.\n\n{section}{text}").parameters, dict)


@pytest.mark.parametrize("blank", [" ", "\t", "\u2003"])
def test_a_line_of_very_many_blanks_takes_no_time(blank: str) -> None:
    begin = time.thread_time()
    read_docstring(f"Do it.\n\nParameters\n----------\na{blank * 19_000}b\n")
    assert time.thread_time() - begin < 0.5


def test_what_decorators_say_goes_before_docstrings() -> None:
    plans = inventory(a="From the decorator.", b="", other="")
    Docstrings().describe(plans, {"plan": NUMPY, "gone": GOOGLE})
    assert plans.plans[0].description == "Do it."
    assert [each.description for each in plans.plans[0].parameters] == ["From the decorator.", "Both.", ""]


def test_a_docstring_that_would_make_a_description_too_long_is_left_out() -> None:
    names = {f"p{number}": "" for number in range(1_000)}
    plans = inventory(**names)
    text = f"Do it.\n\nParameters\n----------\n{', '.join(names)} : int\n    {'x' * 12_000}\n"
    before = plans.SerializeToString()
    Docstrings().describe(plans, {"plan": text})
    assert plans.SerializeToString() == before
    assert len(read_docstring(text).parameters) * 12_000 > MAX_PLAN_BYTES


def test_only_the_beginning_of_a_very_long_docstring_is_read() -> None:
    assert len(read_docstring("x" * 1_000_000).summary) == docstrings.MAX_DOCSTRING


def test_a_docstring_that_did_not_change_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(text: str) -> PlanText:
        read.append(text)
        return read_docstring(text)

    monkeypatch.setattr(docstrings, "read_docstring", reading)
    reader = Docstrings()
    for text in (NUMPY, NUMPY, GOOGLE, NUMPY):
        reader.describe(inventory(a=""), {"plan": text})
    assert read == [NUMPY, GOOGLE, NUMPY]
