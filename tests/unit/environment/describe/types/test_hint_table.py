"""The tables of hints on the page about describing plans are true, row by row."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness.services import REPOSITORY
from tests.unit.environment.hints import DEVICES, NAMESPACE
from tests.unit.environment.plan_calls import PlanCalls, plan_with

PAGE = REPOSITORY / "docs" / "how-to" / "describing-plans.md"
#: What a hint refuses, for hints that refuse anything.
WRONG: dict[str, list[Any]] = {
    "int": [1.5, "1", True, None],
    "float": ["1", True, None, [1]],
    "numbers.Real": ["1", True],
    "np.float64": ["1", True],
    "str": [5, None, ["a"]],
    "bool": [0, 1, "true", None],
    "None": [0, "", False],
    "X | Y": [None, 1.5, ["a"]],
    "Union[X, Y]": [None, 1.5],
    "Optional[X]": [5, ["a"]],
    'TypeVar("T", X, Y)': [None, 1.5],
    'NewType("Energy", float)': ["1"],
    'Annotated[float, "keV"]': ["1"],
    'TypeVar("T", bound=float)': ["1"],
    'Literal["a", 1, True, None]': ["b", 2, False, 1.5, ["a"]],
    "Literal[Mode.FAST]": ["slow", "FAST", 1],
    'Literal[b"fast"]': ["slow", 1],
    "Mode": ["fats", "FAST", 1, None],
    **{f"{name}[X]": [[5], "a", {"a": 1}] for name in ("list", "Sequence", "Iterable", "Collection", "set")},
    **{f"{name}[X]": [[5], "a", {"a": 1}] for name in ("frozenset", "deque", "Iterator")},
    "tuple[X, ...]": [[5], "a"],
    "tuple[X, Y]": [["a"], ["a", "b"], ["a", 5, 5], "ab"],
    "dict[str, X]": [{"k": 5}, ["a"], "a"],
    "Mapping[str, X]": [{"k": 5}, ["a"]],
    "Mapping[Movable, float]": [{"motr1": 5}, {"det1": 5}, {"motor1": "5"}],
    "dict[Mode, X]": [{"fats": "a"}, {"fast": 5}],
    'dict[Literal["fast"], X]': [{"slow": "a"}],
    "dict[int, X]": [{"five": "a"}, {"5.5": "a"}, {"true": "a"}],
    "dict[int | None, X]": [{"five": "a"}],
    "Readable": ["dett1", 5, None, ["det1"]],
    "Movable": ["det1", "motr1", 5],
    "Flyable": ["dett1", 5],
    "Stageable": ["dett1", 5],
    "XYStage": ["det1", "stage.x", "stag", 5],
    "Callable": [5, None],
    "Callable[[float], X]": [5],
    "Settings": [{}, {"motor": "motr1"}, {"mtr": "motor1"}, {"motor": "motor1", "width": "5"}, "motor1"],
    **{
        name: [{}, {"motor": "det1"}, {"motor": "motor1", "widht": 5}, {"motor": "motor1", "width": "5"}, [1]]
        for name in ("Window", "Model", "Optics")
    },
    "Point": [{}, {"y": 1}, [1], [1, 2, 3], [1, "2"], "x"],
    **{name: [5, None] for name in ("Path", "PurePath", "os.PathLike", "bytes")},
    "datetime": ["today", 5],
    "date": ["31.1.2026", 5],
    "time": ["noon", 5],
    "UUID": ["1234", 5],
    **{name: ["1", True] for name in ("Decimal", "complex", "timedelta")},
}


def rows(heading: str) -> Iterator[tuple[list[str], list[str]]]:
    """The code in the first and in the second cell of each row below a heading."""
    table = PAGE.read_text().split(heading)[1].split("\n\n")[0]
    for row in table.strip().splitlines():
        cells = re.split(r"(?<!\\)\|", row)[1:-1]
        hints, examples, *_ = (re.findall(r"`([^`]+)`", cell.replace("\\|", "|")) for cell in (*cells, ""))
        if hints:
            yield hints, examples


CHECKED = list(rows("| hint | takes, for example | becomes |"))
UNCHECKED = [hint for hints, _ in rows("| hint | what is not checked |") for hint in hints]


def calls(hint: str) -> PlanCalls:
    return PlanCalls({**DEVICES, "plan": plan_with(eval(hint, dict(NAMESPACE)))})  # noqa: S307 - our own page


@pytest.mark.parametrize("hint", [hint for hints, _ in CHECKED for hint in hints])
def test_each_form_of_a_hint_is_checked_and_refuses_what_it_does_not_take(hint: str) -> None:
    plan = calls(hint)
    assert plan.parameters("plan")["a"].unchecked == ""
    for value in WRONG[hint] if hint not in ("Any", "object", "Hashable") else []:
        assert plan.wrong("plan", value), value


@pytest.mark.parametrize(("hints", "examples"), CHECKED, ids=[hints[0] for hints, _ in CHECKED])
def test_each_example_is_taken_by_each_hint_of_its_row(hints: list[str], examples: list[str]) -> None:
    for hint in hints:
        for example in examples:
            assert calls(hint).wrong("plan", json.loads(example)) == {}, (hint, example)


@pytest.mark.parametrize("hint", UNCHECKED)
def test_what_is_not_checked_of_a_hint_is_told(hint: str) -> None:
    assert calls(hint).parameters("plan")["a"].unchecked != ""
