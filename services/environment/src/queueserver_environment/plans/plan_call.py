"""A plan call: from an item to a function that makes the plan, for execution and simulation alike.

Guarantees: names stand for what the namespace has at this moment, and only for what the submitter may use; a plan
that may not be used is refused in the same words as one that does not exist. The plan yields messages only, and an
error that says nothing to its caller is explained where possible.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from queueserver_inventory.access import Access

from queueserver_environment.messages.items import Item
from queueserver_environment.plans.arguments import ArgumentError, bind
from queueserver_environment.plans.misnamed_devices import explained
from queueserver_environment.plans.names import Names
from queueserver_environment.plans.plan_messages import Explain, messages_of


class PlanCallError(Exception):
    """The item is not a call of a plan that exists; the message says why and what to do."""


def plan_call(namespace: dict[str, Any], item: Item, access: Access) -> Callable[[], Iterable[Any]]:
    """Find the plan and bind its arguments; the result makes the plan when it is called.

    Raises
    ------
    PlanCallError
        There is no such plan, or the arguments do not fit it.

    """
    names = Names(namespace, access)
    plan = names.plan(item.name)
    if plan is None:
        near = names.plans_like(item.name)
        hint = f"did you mean {' or '.join(near)}?" if near else "list the existing plans to see what there is."
        raise PlanCallError(names.why_no_plan(item.name) or f"the environment has no such plan; {hint}")
    try:
        bound = bind(plan, item.args, item.kwargs, names)
    except ArgumentError as error:
        raise PlanCallError(str(error)) from error
    explain = partial(explained, item=item, names=names)
    return lambda: _make(partial(plan, *bound.args, **bound.kwargs), explain)


def _make(plan: Callable[[], Any], explain: Explain) -> Iterable[Any]:
    try:
        made = plan()
    except Exception as error:
        explanation = explain(error)
        if explanation is None:
            raise
        raise explanation.with_traceback(error.__traceback__) from None
    return messages_of(made, explain)
