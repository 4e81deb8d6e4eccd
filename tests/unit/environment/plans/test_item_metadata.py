"""Names that an item's metadata can't have."""

from typing import Any

from bluesky import RunEngine
from queueserver_environment.plans.item_metadata import reserved_names


class ProposalEngine(RunEngine):
    def __call__(self, plan: Any, subs: Any = None, *, proposal: str = "", **metadata: Any) -> Any:
        return super().__call__(plan, subs, proposal=proposal, **metadata)


def test_the_run_engines_class_decides_which_names_are_taken() -> None:
    of_bluesky = {"self", "plan", "subs", "uid", "time"}
    assert reserved_names(None) == of_bluesky
    assert reserved_names(RunEngine({}, context_managers=[])) == of_bluesky
    assert reserved_names(ProposalEngine({}, context_managers=[])) == of_bluesky | {"proposal"}
