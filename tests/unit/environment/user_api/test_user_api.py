"""What startup code imports from us: where it runs, the namespace, devices of happi."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from queueserver_environment import user_api
from queueserver_environment.user_api.happi_devices import load_devices_from_happi
from queueserver_environment.user_api.modes import (
    clear_ipython_mode,
    clear_re_worker_active,
    is_ipython_mode,
    is_re_worker_active,
    set_ipython_mode,
    set_re_worker_active,
)
from queueserver_environment.user_api.user_namespace import UserNamespace, global_user_namespace, set_user_ns


@pytest.fixture(autouse=True)
def _outside_of_a_worker() -> Iterator[None]:
    clear_re_worker_active()
    clear_ipython_mode()
    yield
    clear_re_worker_active()
    clear_ipython_mode()


def test_code_hears_where_it_runs_as_it_was_set() -> None:
    assert not is_re_worker_active()
    set_re_worker_active()
    assert is_re_worker_active()
    clear_re_worker_active()
    assert not is_re_worker_active()


def test_ipython_mode_is_what_was_set_only_in_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    set_ipython_mode(True)
    assert not is_ipython_mode()
    set_re_worker_active()
    assert is_ipython_mode()
    set_ipython_mode(False)
    assert not is_ipython_mode()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=object))  # type: ignore[arg-type]
    assert not is_ipython_mode()
    clear_ipython_mode()
    assert is_ipython_mode()


def test_every_name_that_is_offered_is_there_and_others_are_told_apart() -> None:
    for name in user_api.HOMES.keys() - {"gen_list_of_plans_and_devices"}:
        assert getattr(user_api, name) is not None
    with pytest.raises(AttributeError, match=r"there are .*is_re_worker_active"):
        _ = user_api.is_worker


def test_a_decorated_function_and_plan_get_the_namespace_and_their_signatures_hide_it() -> None:
    @set_user_ns
    def names(prefix: str, *, user_ns: Any, ipython: Any) -> list[str]:
        assert ipython is None
        return [name for name in user_ns if name.startswith(prefix)]

    @set_user_ns
    def plan(name: str, *, user_ns: Any) -> Any:
        """Read a device."""
        yield user_ns[name]

    before = global_user_namespace.user_ns
    global_user_namespace.set_user_namespace(user_ns={"det1": 1, "motor": 2})
    try:
        assert names("det") == ["det1"]
        assert list(plan("motor")) == [2]
    finally:
        global_user_namespace.set_user_namespace(user_ns=before)
    assert [list(inspect.signature(function).parameters) for function in (names, plan)] == [["prefix"], ["name"]]
    assert inspect.isgeneratorfunction(plan)
    assert plan.__doc__ == "Read a device."


def test_a_namespace_is_a_dictionary() -> None:
    with pytest.raises(TypeError, match="dictionary, not list"):
        UserNamespace().set_user_namespace(user_ns=[])  # type: ignore[arg-type]


class HappiOfTest:
    """The part of happi that is used, with a database of its own."""

    def __init__(self, *names: str) -> None:
        self.stored = names

    def from_config(self) -> HappiOfTest:
        return self

    def search(self, *, name: str, **conditions: str) -> list[Any]:
        assert conditions in ({}, {"beamline": "abc"})
        found = [stored for stored in self.stored if stored == name]
        items = [SimpleNamespace(name=stored) for stored in found]
        return [SimpleNamespace(_item=item, item=item, metadata={"name": item.name}) for item in items]

    def load_devices(self, *items: Any) -> SimpleNamespace:
        return SimpleNamespace(**{item.name: f"device {item.name}" for item in items})


@pytest.fixture
def happi(monkeypatch: pytest.MonkeyPatch) -> None:
    """A happi with one det, one abc_det and two motors."""
    database = HappiOfTest("det", "abc_det", "motor", "motor")
    module = ModuleType("happi")
    vars(module).update(Client=database, load_devices=database.load_devices)
    monkeypatch.setitem(sys.modules, "happi", module)


@pytest.mark.usefixtures("happi")
def test_devices_come_from_happi_under_their_own_or_another_name() -> None:
    namespace: dict[str, Any] = {}
    assert load_devices_from_happi(["det", ("abc_det", "det2")], namespace=namespace) == ["det", "det2"]
    assert namespace == {"det": "device det", "det2": "device det2"}
    assert load_devices_from_happi([("abc_det", "")], namespace=namespace, beamline="abc") == ["abc_det"]


@pytest.mark.usefixtures("happi")
@pytest.mark.parametrize(("name", "sentence"), [("motor", "2 devices"), ("nope", "no device")])
def test_a_name_must_be_that_of_exactly_one_device_in_happi(name: str, sentence: str) -> None:
    namespace: dict[str, Any] = {}
    with pytest.raises(RuntimeError, match=sentence):
        load_devices_from_happi(["det", name], namespace=namespace)
    assert namespace == {}


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("det", "put the name into brackets"),
        ([5], r"device_names\[0\] is 5"),
        ([("a", "b", "c")], "or a pair"),
        ([("abc_det", "Det-1")], "use lower-case letters"),
    ],
)
def test_what_is_no_list_of_names_is_refused_before_happi_is_asked(names: Any, sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        load_devices_from_happi(names, namespace={})
    with pytest.raises(TypeError, match="give for example globals"):
        load_devices_from_happi([], namespace=None)  # type: ignore[arg-type]
