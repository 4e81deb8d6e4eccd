"""The inventory: every plan and device of a namespace, by the name under which a person calls it.

Guarantees: what can't be described is left out and listed as an issue with the place in the user's code as far as it is
known; it never hides anything else. An inventory fits into one message: devices that would make it too large are
described to less depth.
"""

import inspect
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from queueserver_inventory.description_sizes import MAX_DEVICE_BYTES, MAX_PLAN_BYTES, Sizes
from queueserver_inventory.descriptions import (
    DeviceDescription,
    Inventory,
    InventoryIssue,
    InventoryIssueKind,
    NoPlan,
    PlanDescription,
)

from queueserver_environment.describe.default_names import DefaultNames
from queueserver_environment.describe.device_trees import DeviceTree
from queueserver_environment.describe.devices import is_device
from queueserver_environment.describe.expansion import Expansion
from queueserver_environment.describe.functions import describe_functions, is_of_python
from queueserver_environment.describe.plan_reading import PlanError
from queueserver_environment.describe.plan_recognition import is_plan, means_to_be_plan, why_no_plan
from queueserver_environment.describe.plans import asked_classes, describe_plan
from queueserver_environment.plans.failures import error_text, is_own_frame
from queueserver_environment.process.garbage import no_collection
from queueserver_environment.user_api.registration import RegisteredDevice, Registrations, registrations

MAX_DEVICES_BYTES: Final = 16 * 1024 * 1024
"""Size of all descriptions of devices; in a frame, where fields have their names, they take twice that."""
MAX_NO_PLANS: Final = 1_000
"""Functions and similar objects that are reported as no plans."""
_LESS_DEPTH: Final = (4, 2, 1)


def take_inventory(namespace: Mapping[str, Any], *, device_max_depth: int = 0) -> Inventory:
    """Describe all plans and devices of a namespace, in alphabetical order; list what had to be left out.

    Parameters
    ----------
    namespace
        What the startup code has defined, by name.
    device_max_depth
        Levels of device trees that are described where nothing else is registered: 1 for devices alone, 0 for all.

    """
    with no_collection():
        return _Inventory(dict(namespace), registrations()).take(device_max_depth)


class _Inventory:
    """One pass over a namespace."""

    def __init__(self, namespace: dict[str, Any], registered: Registrations) -> None:
        self._registered = registered
        self._issues: list[InventoryIssue] = []
        self._plans: dict[str, Any] = {}
        self._devices: dict[str, Any] = {}
        #: Other callables.
        self._others: dict[str, Any] = {}
        self._namespace = namespace
        self._asked: frozenset[type] = frozenset()
        self._sizes = Sizes()
        for name in sorted(key for key in namespace if _is_name(key) and not registered.hides(key)):
            self._sort(name, namespace[name])
        self._issues_of_sorting = tuple(self._issues)

    def take(self, depth: int) -> Inventory:
        self._asked = frozenset(cls for plan in self._plans.values() for cls in asked_classes(plan))
        devices = self._describe_devices(depth)
        expansion = Expansion(devices, self._plans)
        names = DefaultNames(self._devices, self._plans, self._others)
        plans = [self._describe_plan(name, plan, expansion, names) for name, plan in self._plans.items()]
        self._check_registrations()
        no_plans = self._describe_no_plans()
        return Inventory(
            plans=tuple(plan for plan in plans if plan is not None),
            devices=devices,
            issues=tuple(sorted(self._issues, key=lambda issue: (issue.kind, issue.name))),
            no_plans=no_plans,
            functions=describe_functions(self._others),
        )

    def _sort(self, name: str, value: object) -> None:
        try:
            if is_plan(value):
                self._plans[name] = value
            elif is_device(value):
                self._devices[name] = value
            elif callable(value) and not name.startswith("_"):
                self._others[name] = value
        except BaseException as error:  # noqa: BLE001 - protects the other plans and devices from an object with broken code
            self._issue(InventoryIssueKind.DEVICE, name, _left_out(name, error), _place_of_error(error))

    def _describe_plan(self, name: str, plan: Any, expansion: Expansion, names: DefaultNames) -> PlanDescription | None:
        problems: list[str] = []
        kind, place = InventoryIssueKind.PLAN, _place_of_plan(plan)
        try:
            description = describe_plan(name, plan, expansion, names, problems)
            size = self._sizes.plan(description)
        except PlanError as error:
            self._issue(kind, name, f"The plan {name} was left out. {_capital(str(error))}", place)
            return None
        except BaseException as error:  # noqa: BLE001 - protects the other plans and devices from a broken plan
            self._issue(kind, name, _left_out(name, error), place)
            return None
        if size > MAX_PLAN_BYTES:
            text = (
                f"The plan {name} was left out. Its description has {size} bytes, and {MAX_PLAN_BYTES} are allowed: "
                "give its parameters fewer choices."
            )
            self._issue(kind, name, text, place)
            return None
        for problem in problems:
            self._issue(kind, name, problem, place)
        return description

    def _describe_no_plans(self) -> tuple[NoPlan, ...]:
        described: list[NoPlan] = []
        for name in sorted(self._others, key=lambda name: is_of_python(self._others[name])):
            value = self._others[name]
            message = why_no_plan(name, value)
            if means_to_be_plan(value):
                self._issue(InventoryIssueKind.PLAN, name, message, _place_of_plan(value))
            elif message and len(described) < MAX_NO_PLANS:
                described.append(NoPlan(name, _sendable(message)))
        return tuple(described)

    def _describe_devices(self, depth: int) -> tuple[DeviceDescription, ...]:
        found = self._at_depth(depth)
        for less in (level for level in _LESS_DEPTH if not depth or level < depth):
            if sum(map(self._sizes.device, found)) <= MAX_DEVICES_BYTES:
                break
            found = self._at_depth(less)
            text = (
                f"The devices have too many components to list all: only {less} levels are; limit the depth of devices."
            )
            self._issue(InventoryIssueKind.DEVICE, "", text)
        return found

    def _at_depth(self, depth: int) -> tuple[DeviceDescription, ...]:
        self._issues = list(self._issues_of_sorting)
        described = (self._describe_device(name, device, depth) for name, device in self._devices.items())
        return tuple(device for device in described if device is not None)

    def _describe_device(self, name: str, device: Any, depth: int) -> DeviceDescription | None:
        registered = self._registered.devices.get(name, RegisteredDevice(depth))
        with_area_detectors = name in self._registered.devices
        report = partial(self._issue, InventoryIssueKind.DEVICE, name)
        less = (level for level in _LESS_DEPTH if not registered.depth or level < registered.depth)
        for level in (registered.depth, *less):
            tree = DeviceTree(level, with_area_detectors=with_area_detectors, asked=self._asked)
            try:
                description = tree.describe(name, device)
                size = self._sizes.device(description)
            except BaseException as error:  # noqa: BLE001 - protects the other devices from a broken one
                report(_left_out(name, error), _place_of_error(error))
                return None
            if size <= MAX_DEVICE_BYTES:
                break
        if level != registered.depth:
            report(f"{name} has too many components to list them all: only {level} levels are; limit its depth.")
        for problem in tree.problems:
            report(problem.message, _place_of_error(problem.error))
        return description

    def _check_registrations(self) -> None:
        self._check("device", self._registered.devices, is_device)
        self._check("plan", self._registered.plans, is_plan)

    def _check(self, kind: str, names: Mapping[str, Any], is_wanted: Callable[[object], bool]) -> None:
        for name in names:
            if name not in self._namespace:
                text = f"register_{kind}({name!r}) names nothing that the startup code defines; correct the name."
            elif not self._registered.hides(name) and not is_wanted(self._namespace[name]):
                text = f"register_{kind}({name!r}) names something that is not a {kind}; correct the name."
            else:
                continue
            self._issue(InventoryIssueKind.STARTUP_CODE, name, text)

    def _issue(
        self,
        kind: InventoryIssueKind,
        name: str,
        message: str,
        place: tuple[str, int] = ("", 0),
    ) -> None:
        file, line = place
        self._issues.append(InventoryIssue(name, _sendable(message), kind, _sendable(file), line))


def _is_name(key: object) -> bool:
    """Tell whether a key of a namespace is a text that can be sent."""
    return isinstance(key, str) and _sendable(key) == key


def _sendable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _left_out(name: str, error: BaseException) -> str:
    return (
        f"{name} can't be described and was left out ({type(error).__name__}: {error_text(error)}); correct its code."
    )


def _place_of_plan(plan: Any) -> tuple[str, int]:
    """Find the file and line in which a plan is defined, as far as it is known."""
    try:
        function = inspect.unwrap(getattr(plan, "func", plan))
        code = getattr(function, "__code__", None)
    except BaseException:  # noqa: BLE001 - protects the inventory from objects that only look like functions
        return "", 0
    return (code.co_filename, code.co_firstlineno) if code is not None else ("", 0)


def _place_of_error(error: BaseException | None) -> tuple[str, int]:
    """Find the innermost place in code that is not ours."""
    place = ("", 0)
    for frame, line in traceback.walk_tb(error.__traceback__ if error is not None else None):
        if not is_own_frame(frame.f_code.co_filename):
            place = (frame.f_code.co_filename, line)
    return place


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
