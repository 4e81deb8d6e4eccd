"""A plan call, judged by the Manager and made by the environment, without processes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.plans.arguments import bind
from queueserver_environment.plans.names import Names
from queueserver_inventory.description_messages import inventory_message
from queueserver_inventory.descriptions import Inventory, ParameterDescription
from queueserver_manager.domain.queue.item import ItemKind
from queueserver_manager.domain.refusals.errors import ItemInvalid
from queueserver_manager.domain.validation.allowed import AllowedInventory
from queueserver_manager.domain.validation.validation import check_item
from queueserver_manager.worker_client.inventory import inventory_from_proto


class PlanCalls:
    """Calls of the plans of a namespace."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self.namespace = dict(namespace)
        self.inventory: Inventory = take_inventory(self.namespace)
        self._allowed = AllowedInventory(inventory_from_proto(inventory_message(self.inventory)))

    def parameters(self, plan: str) -> dict[str, ParameterDescription]:
        """Its parameters, by name."""
        (found,) = [each for each in self.inventory.plans if each.name == plan]
        return {parameter.name: parameter for parameter in found.parameters}

    def wrong(self, plan: str, *args: Any, **kwargs: Any) -> dict[str, str]:
        """What the Manager finds wrong with a call, by field."""
        try:
            check_item(ItemKind.PLAN, plan, args, kwargs, self._allowed)
        except ItemInvalid as error:
            return {violation.field: violation.description for violation in error.violations}
        return {}

    def given(self, plan: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """What the plan gets, by parameter."""
        function = self.namespace[plan]
        return dict(bind(function, list(args), kwargs, Names(self.namespace)).arguments)


def plan_with(hint: Any, default: Any = ...) -> Callable[..., Iterator[Any]]:
    """A plan with one parameter, ``a``; no default if it is an ellipsis."""

    def plan(a: Any) -> Iterator[Any]:
        yield a

    plan.__annotations__ = {"a": hint}
    if default is not ...:
        plan.__defaults__ = (default,)
    return plan
