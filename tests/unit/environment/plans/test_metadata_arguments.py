"""What is metadata stays text, whatever it names."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bluesky.plans import count
from bluesky.protocols import Readable
from ophyd.sim import det1, motor1
from queueserver_environment.plans.arguments import bind
from queueserver_environment.plans.failures import MAX_FRAMES, user_traceback
from queueserver_environment.plans.names import Names
from queueserver_environment.user_api.annotation_decorator import parameter_annotation_decorator

NAMES = Names({"det1": det1, "motor1": motor1, "count": count})
SAMPLE = {"operator": "motor1", "kind": "count", "used": ["det1", {"by": "motor1"}]}


class Unusable:
    pass


def plan_with(name: str, hint: Any = None, kind: str = "{}=None") -> Callable[..., Iterator[Any]]:
    found: dict[str, Any] = {}
    exec(f"def plan({kind.format(name)}):\n    yield {name}", found)  # noqa: S102 - our own text
    plan: Callable[..., Iterator[Any]] = found["plan"]
    if hint is not None:
        plan.__annotations__[name] = hint
    return plan


def got(plan: Callable[..., Iterator[Any]], **kwargs: Any) -> Any:
    bound = bind(plan, [], kwargs, NAMES)
    return next(plan(*bound.args, **bound.kwargs))


@pytest.mark.parametrize("name", ["md", "_md", "metadata", "sample_md", "user_metadata", "meta"])
@pytest.mark.parametrize("hint", [None, Unusable, Unusable | None, dict, dict[str, Any], Any])
def test_names_in_a_parameter_for_metadata_stay_texts(name: str, hint: Any) -> None:
    assert got(plan_with(name, hint), **{name: SAMPLE}) == SAMPLE


@pytest.mark.parametrize("name", ["cmd", "mdet", "sample", "md1"])
def test_names_in_any_other_parameter_without_a_type_convert(name: str) -> None:
    assert got(plan_with(name), **{name: SAMPLE})["operator"] is motor1


def test_metadata_among_other_arguments_stays_as_it_is() -> None:
    passes_on = plan_with("kwargs", kind="**{}")
    assert got(passes_on, md=SAMPLE, motor="motor1") == {"md": SAMPLE, "motor": motor1}
    assert got(plan_with("md", kind="**{}"), **SAMPLE) == SAMPLE
    nested = {"plan_args": {"detectors": ["det1"], "md": SAMPLE}}
    assert got(plan_with("spec"), spec=nested) == {"plan_args": {"detectors": [det1], "md": SAMPLE}}
    assert got(functools.partial(plan_with("md"), md={}), md=SAMPLE) == SAMPLE


def test_whoever_says_that_metadata_has_devices_gets_them() -> None:
    assert got(plan_with("md", dict[str, Readable]), md={"by": "det1"}) == {"by": det1}
    said = parameter_annotation_decorator({"parameters": {"md": {"convert_device_names": True}}})
    assert got(said(plan_with("md")), md=SAMPLE)["operator"] is motor1


def test_metadata_as_a_default_of_the_decorator_stays_as_it_is() -> None:
    said = parameter_annotation_decorator({"parameters": {"md": {"default": SAMPLE}}})
    assert got(said(plan_with("md"))) == SAMPLE


def test_a_recursion_is_told_with_its_beginning_and_its_end() -> None:
    def up(n: int) -> int:
        return down(n + 1)

    def down(n: int) -> int:
        return up(n + 1)

    with pytest.raises(RecursionError) as caught:
        up(0)
    text = user_traceback(caught.value)
    assert text.count('File "') == MAX_FRAMES + 1
    assert "frames that are left out" in text
    assert len(text) < 20_000
