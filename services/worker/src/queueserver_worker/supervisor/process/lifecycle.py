"""The states of the environment and the one table of how they follow each other."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from queueserver.common.v1 import environment_pb2 as pb


class State(enum.Enum):
    """State of the environment; the values are those of the contract."""

    CLOSED = pb.ENVIRONMENT_STATE_CLOSED
    INITIALIZING = pb.ENVIRONMENT_STATE_INITIALIZING
    IDLE = pb.ENVIRONMENT_STATE_IDLE
    EXECUTING_PLAN = pb.ENVIRONMENT_STATE_EXECUTING_PLAN
    CLOSING = pb.ENVIRONMENT_STATE_CLOSING
    DESTROYING = pb.ENVIRONMENT_STATE_DESTROYING
    EXECUTING_TASK = pb.ENVIRONMENT_STATE_EXECUTING_TASK

    @property
    def text(self) -> str:
        """The state in a sentence for people."""
        return self.name.lower().replace("_", " ")


OPEN = frozenset({State.IDLE, State.EXECUTING_PLAN, State.EXECUTING_TASK})
"""The states in which an environment takes commands."""
TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.CLOSED: frozenset({State.INITIALIZING}),
        State.INITIALIZING: frozenset({State.IDLE, State.CLOSING, State.DESTROYING, State.CLOSED}),
        State.IDLE: frozenset(
            {State.EXECUTING_PLAN, State.EXECUTING_TASK, State.CLOSING, State.DESTROYING, State.CLOSED}
        ),
        State.EXECUTING_PLAN: frozenset({State.IDLE, State.DESTROYING, State.CLOSED}),
        State.EXECUTING_TASK: frozenset({State.IDLE, State.DESTROYING, State.CLOSED}),
        State.CLOSING: frozenset({State.DESTROYING, State.CLOSED}),
        State.DESTROYING: frozenset({State.CLOSED}),
    }
)
"""Which states may follow each state. CLOSED may follow any state that has a process: processes die."""


class TransitionError(AssertionError):
    """A defect of the supervisor: it tried a transition that the table does not have."""

    def __init__(self, before: State, after: State) -> None:
        super().__init__(f"the environment can't go from {before.text} to {after.text}")


def check(before: State, after: State) -> State:
    """Return `after` if it may follow `before`; raise TransitionError otherwise."""
    if after not in TRANSITIONS[before]:
        raise TransitionError(before, after)
    return after
